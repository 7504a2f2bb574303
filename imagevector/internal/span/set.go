package span

import (
	"math"
	"slices"
	"strings"
)

// Span is the range of versions from First to Last, inclusive.
type Span struct{ First, Last Version }

// Contains reports whether v is in the span.
func (s Span) Contains(v Version) bool { return !v.Less(s.First) && !s.Last.Less(v) }

// String returns the span as "1.30.2", "1.30.x", "1.30.0..1.32.x",
// "< 1.30", ">= 1.21", "all".
func (s Span) String() string {
	switch {
	case s == Span{Last: highest}:
		return "all"
	case s.First == s.Last:
		return s.First.String()
	case s.Last == highest:
		return ">= " + s.First.String()
	case s.First == Version{}:
		if after, ok := s.Last.next(); ok && s.Last.Patch == math.MaxUint64 {
			return "< " + after.String()
		}
		return "<= " + s.Last.String()
	}
	last := Version{s.Last.Major, s.Last.Minor, 0}
	switch {
	case s.Last.Patch != math.MaxUint64:
		return s.First.String() + ".." + s.Last.String()
	case s.Last.Minor == math.MaxUint64:
		return s.First.String() + ".." + strings.TrimSuffix(Version{Major: last.Major}.String(), "0.0") + "x"
	case s.First == last:
		return strings.TrimSuffix(last.String(), "0") + "x"
	}
	return s.First.String() + ".." + strings.TrimSuffix(last.String(), "0") + "x"
}

// Set is a set of versions: sorted spans that neither overlap nor adjoin.
type Set []Span

// All returns the set of all versions.
func All() Set { return Set{{Last: highest}} }

// Of returns the union of spans, in any order.
func Of(spans ...Span) Set {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b Span) int { return a.First.Compare(b.First) })
	set := Set{}
	for _, s := range spans {
		if s.Last.Less(s.First) {
			continue
		}
		if n := len(set) - 1; n >= 0 {
			after, ok := set[n].Last.next()
			if !ok || !after.Less(s.First) {
				if set[n].Last.Less(s.Last) {
					set[n].Last = s.Last
				}
				continue
			}
		}
		set = append(set, s)
	}
	return set
}

// Contains reports whether v is in the set.
func (s Set) Contains(v Version) bool {
	if len(s) == 1 {
		return s[0].Contains(v)
	}
	i, found := slices.BinarySearchFunc(s, v, func(sp Span, v Version) int { return sp.First.Compare(v) })
	return found || i > 0 && !s[i-1].Last.Less(v)
}

// Union returns the versions in either set.
func (s Set) Union(t Set) Set { return Of(slices.Concat(s, t)...) }

// Intersect returns the versions in both sets.
func (s Set) Intersect(t Set) Set {
	out := Set{}
	for i, j := 0, 0; i < len(s) && j < len(t); {
		first, last := s[i].First, s[i].Last
		if first.Less(t[j].First) {
			first = t[j].First
		}
		if t[j].Last.Less(last) {
			last = t[j].Last
		}
		if !last.Less(first) {
			out = append(out, Span{first, last})
		}
		if s[i].Last.Less(t[j].Last) {
			i++
		} else {
			j++
		}
	}
	return out
}

// Complement returns the versions that are not in the set.
func (s Set) Complement() Set {
	out := Set{}
	from, ok := Version{}, true
	for _, sp := range s {
		if from.Less(sp.First) {
			out = append(out, Span{from, sp.First.Before()})
		}
		if from, ok = sp.Last.next(); !ok {
			return out
		}
	}
	return append(out, Span{from, highest})
}

// AppendCuts appends the versions at which membership in the set changes: the first
// version of each span, and the one after its last.
func (s Set) AppendCuts(to []Version) []Version {
	for _, sp := range s {
		to = append(to, sp.First)
		if after, ok := sp.Last.next(); ok {
			to = append(to, after)
		}
	}
	return to
}

// Equal reports whether both sets are equal.
func (s Set) Equal(t Set) bool { return slices.Equal(s, t) }

// String returns the spans separated by commas, or "none".
func (s Set) String() string {
	if len(s) == 0 {
		return "none"
	}
	texts := make([]string, len(s))
	for i, sp := range s {
		texts[i] = sp.String()
	}
	return strings.Join(texts, ", ")
}
