package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
)

// conditions describes the constraints and architectures of an entry.
func conditions(s imagevector.Source) string {
	var parts []string
	if s.RuntimeVersion != nil {
		parts = append(parts, fmt.Sprintf("runtimeVersion %q", *s.RuntimeVersion))
	}
	if s.TargetVersion != nil {
		parts = append(parts, fmt.Sprintf("targetVersion %q", *s.TargetVersion))
	}
	if s.Architectures != nil {
		parts = append(parts, fmt.Sprintf("architectures %q", s.Architectures))
	}
	if len(parts) == 0 {
		return "every version"
	}
	return strings.Join(parts, ", ")
}

// comparison compares the scores of an entry and of the one that is chosen.
func comparison(with *imagevector.Vector, own int, l Loss) string {
	where := fmt.Sprintf("for Kubernetes %v on %s, the entry at %v is chosen", l.Versions, strings.Join(l.Architectures, " and "), l.To.Position)
	version, _ := l.Versions.First()
	candidates, err := with.Explain(l.To.Name, imagevector.RuntimeVersion(version), imagevector.TargetVersion(version), imagevector.Architecture(l.Architectures[0]))
	if err != nil {
		return where
	}
	var score, chosen int
	for _, c := range candidates {
		switch c.Index {
		case own:
			score = c.Score
		case l.index:
			chosen = c.Score
		}
	}
	if score == chosen {
		return fmt.Sprintf("%s: both have score %d, and it comes first", where, score)
	}
	return fmt.Sprintf("%s: it has score %d, this one %d", where, chosen, score)
}

// differences describes the differences of two keys.
func differences(s, entry imagevector.Source) []string {
	var out []string
	for _, f := range []struct {
		name       string
		here, base *string
	}{{"runtimeVersion", s.RuntimeVersion, entry.RuntimeVersion}, {"targetVersion", s.TargetVersion, entry.TargetVersion}} {
		switch {
		case f.here == nil && f.base == nil || f.here != nil && f.base != nil && *f.here == *f.base:
		case f.here == nil:
			out = append(out, fmt.Sprintf("%s is missing here and is %q at %v", f.name, *f.base, entry.Position))
		case f.base == nil:
			out = append(out, fmt.Sprintf("%s is %q here and missing at %v", f.name, *f.here, entry.Position))
		default:
			text := fmt.Sprintf("%s differs: %q here, %q at %v", f.name, *f.here, *f.base, entry.Position)
			if a, errA := imagevector.ParseConstraint(*f.here); errA == nil {
				if b, errB := imagevector.ParseConstraint(*f.base); errB == nil && a.Equal(b) {
					text += "; they are equivalent, but compared as text"
				}
			}
			out = append(out, text)
		}
	}
	if strings.Join(s.Architectures, "") == strings.Join(entry.Architectures, "") && (s.Architectures == nil) == (entry.Architectures == nil) {
		return out
	}
	here, base := slices.Sorted(slices.Values(architecturesOf(s))), slices.Sorted(slices.Values(architecturesOf(entry)))
	text := ""
	switch {
	case s.Architectures == nil:
		text = fmt.Sprintf("architectures are missing here and are %q at %v", entry.Architectures, entry.Position)
	case entry.Architectures == nil:
		text = fmt.Sprintf("architectures are %q here and missing at %v", s.Architectures, entry.Position)
	case slices.Equal(here, base):
		text = fmt.Sprintf("the order of architectures differs: %q here, %q at %v", s.Architectures, entry.Architectures, entry.Position)
	default:
		text = fmt.Sprintf("architectures differ: %q here, %q at %v", s.Architectures, entry.Architectures, entry.Position)
	}
	if slices.Equal(here, base) && (s.Architectures == nil || entry.Architectures == nil) {
		text += "; they are equivalent, but compared as text"
	}
	return append(out, text)
}
