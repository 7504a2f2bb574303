package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
)

// conditions says what an entry is for.
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

// beats says by how much another entry wins.
func beats(with *imagevector.Vector, own int, l Loss) string {
	where := fmt.Sprintf("for Kubernetes %v on %s, %v is chosen", l.Versions, strings.Join(l.Architectures, " and "), l.To.Position)
	version, _ := l.Versions.First()
	candidates, err := with.Explain(l.To.Name, imagevector.RuntimeVersion(version), imagevector.TargetVersion(version), imagevector.Architecture(l.Architectures[0]))
	if err != nil {
		return where
	}
	var mine, theirs int
	for _, c := range candidates {
		switch c.Index {
		case own:
			mine = c.Score
		case l.index:
			theirs = c.Score
		}
	}
	if mine == theirs {
		return fmt.Sprintf("%s: both score %d, and it comes first", where, mine)
	}
	return fmt.Sprintf("%s: it scores %d, this one %d", where, theirs, mine)
}

// differing says in what the key of an overwrite differs from that of an entry.
func differing(s, entry imagevector.Source) []string {
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
			text := fmt.Sprintf("the text of %s differs: %q here, %q at %v", f.name, *f.here, *f.base, entry.Position)
			if a, errA := imagevector.ParseConstraint(*f.here); errA == nil {
				if b, errB := imagevector.ParseConstraint(*f.base); errB == nil && a.Equal(b) {
					text += "; they mean the same, but are compared letter by letter"
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
		text = fmt.Sprintf("architectures are written in another order: %q here, %q at %v", s.Architectures, entry.Architectures, entry.Position)
	default:
		text = fmt.Sprintf("architectures differ: %q here, %q at %v", s.Architectures, entry.Architectures, entry.Position)
	}
	if slices.Equal(here, base) && (s.Architectures == nil || entry.Architectures == nil) {
		text += "; they mean the same, but are compared letter by letter"
	}
	return append(out, text)
}
