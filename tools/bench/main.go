// Bench measures what this repository promises of its speed, each figure
// against a baseline that runs in turn with it, so that a noisy machine moves
// both. It needs the binaries of the version in the store, or gets them.
//
//	go run ./tools/bench            everything
//	go run ./tools/bench -n 9 gen   one figure, over more runs
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("bench", run)) }

// figure is a promise and the two things that are compared for it.
type figure struct {
	name  string
	reach string // what is promised
	// prepare returns what is measured and its baseline, which may be nil. Both
	// may use the folder.
	prepare func(ctx context.Context, env cli.Env, dir string) (subject, baseline step, err error)
}

// step is one run; its number lets it do what no earlier one has cached.
type step func(ctx context.Context, n int) error

// The ones that tell of memory come first: a child begins with the peak of its
// parent, and this program grows with the later ones.
var figures = []figure{
	{"layer-gzip", "under 64 MiB for any file", layerMemory("gzip")},
	{"layer-zstd", "under 64 MiB for any file", layerMemory("zstd")},
	{"gen", "2,000 versions in under 1 s and 200 MiB", generator},
	{"build-gzip", "at most 1.30 times the compressor alone", buildAgainstCompressor("gzip")},
	{"build-zstd", "at most 1.30 times the compressor alone", buildAgainstCompressor("zstd")},
	{"bazel-gzip", "at most half of tar and gzip -6 in a genrule", underBazel("gzip", "baseline")},
	{"bazel-zstd", "at most a quarter of tar and gzip -6 in a genrule", underBazel("zstd", "baseline")},
	{"bazel-gzip-apart", "nothing is promised against a genrule a layer", underBazel("gzip", "baseline_apart")},
	{"bazel-zstd-apart", "nothing is promised against a genrule a layer", underBazel("zstd", "baseline_apart")},
	{"bazel-null", "0.6 s", nullBuild},
}

func run(ctx context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	runs := fs.Int("n", 5, "how often each is run; the median counts")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if *runs < 1 {
		return cli.Usage("-n: want 1 or more, got %d", *runs)
	}
	wanted := fs.Args()
	for _, name := range wanted {
		if !slices.ContainsFunc(figures, func(f figure) bool { return f.name == name }) {
			return cli.Usage("there is no figure %q; there are %s", name, names())
		}
	}
	for _, f := range figures {
		if len(wanted) > 0 && !slices.Contains(wanted, f.name) {
			continue
		}
		if err := measure(ctx, env, f, *runs); err != nil {
			return fmt.Errorf("measuring %s: %w", f.name, err)
		}
	}
	return nil
}

func names() string {
	var all []string
	for _, f := range figures {
		all = append(all, f.name)
	}
	return strings.Join(all, ", ")
}

func measure(ctx context.Context, env cli.Env, f figure, runs int) (err error) {
	dir, err := os.MkdirTemp("", "hyperkube-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	subject, baseline, err := f.prepare(ctx, env, dir)
	if err != nil {
		return err
	}
	var times, base, ratios []float64
	for n := range runs + 1 {
		a, err := timed(ctx, subject, n)
		if err != nil {
			return err
		}
		b, err := timed(ctx, baseline, n)
		if err != nil {
			return err
		}
		if n == 0 {
			continue // warms caches
		}
		times, base = append(times, a), append(base, b)
		if baseline != nil {
			ratios = append(ratios, a/b)
		}
	}
	fmt.Fprintf(env.Out, "%-11s %6.2f s", f.name, median(times))
	if baseline != nil {
		fmt.Fprintf(env.Out, ", baseline %6.2f s, ratio %.2f (%.2f to %.2f)", median(base), median(ratios), slices.Min(ratios), slices.Max(ratios))
	}
	fmt.Fprintf(env.Out, "; to reach: %s\n", f.reach)
	return nil
}

func timed(ctx context.Context, s step, n int) (float64, error) {
	if s == nil {
		return 0, nil
	}
	start := time.Now()
	err := s(ctx, n)
	return time.Since(start).Seconds(), err
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
