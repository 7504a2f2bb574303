package main

import (
	"fmt"
	"slices"
	"strings"
)

// limits are the promised maxima of a benchmark; 0 means none.
type limits struct {
	seconds   float64 // median duration
	ratio     float64 // median of the duration divided by the baseline's
	mebibytes int64   // peak memory
}

func (l limits) String() string {
	var all []string
	if l.seconds > 0 {
		all = append(all, fmt.Sprintf("%.2f s", l.seconds))
	}
	if l.ratio > 0 {
		all = append(all, fmt.Sprintf("ratio %.2f", l.ratio))
	}
	if l.mebibytes > 0 {
		all = append(all, fmt.Sprintf("%d MiB", l.mebibytes))
	}
	if all == nil {
		return "none"
	}
	return strings.Join(all, ", ")
}

// exceeded describes every limit that r exceeds.
func (l limits) exceeded(r result) []string {
	var all []string
	if got := median(r.seconds); l.seconds > 0 && got > l.seconds {
		all = append(all, fmt.Sprintf("got %.2f s, want at most %.2f s", got, l.seconds))
	}
	if l.ratio > 0 {
		if got := median(r.ratios); got > l.ratio {
			all = append(all, fmt.Sprintf("got ratio %.2f, want at most %.2f", got, l.ratio))
		}
	}
	if r.memory > l.mebibytes<<20 && l.mebibytes > 0 {
		all = append(all, fmt.Sprintf("got %.1f MiB, want at most %d MiB", float64(r.memory)/(1<<20), l.mebibytes))
	}
	return all
}

// result collects the measurements of a benchmark.
type result struct {
	seconds, baseline, ratios []float64
	memory                    int64 // peak in bytes, or 0
}

func (r *result) add(seconds, baseline float64, memory int64) {
	r.seconds = append(r.seconds, seconds)
	if baseline > 0 {
		r.baseline, r.ratios = append(r.baseline, baseline), append(r.ratios, seconds/baseline)
	}
	r.memory = max(r.memory, memory)
}

func (r result) String() string {
	text := fmt.Sprintf("%6.2f s", median(r.seconds))
	if len(r.ratios) > 0 {
		text += fmt.Sprintf(", baseline %6.2f s, ratio %.2f (%.2f to %.2f)", median(r.baseline), median(r.ratios), slices.Min(r.ratios), slices.Max(r.ratios))
	}
	if r.memory > 0 {
		text += fmt.Sprintf(", %d MiB", r.memory>>20)
	}
	return text
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
