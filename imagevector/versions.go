package imagevector

import (
	"fmt"
	"math"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// Versions is a set of Kubernetes versions, released or not. They have no suffix,
// because selection ignores suffixes. The zero value is empty.
type Versions struct{ set span.Set }

// AllVersions returns the set of all versions.
func AllVersions() Versions { return Versions{span.All()} }

// ParseVersions parses a comma-separated list of versions and ranges: "1.30.2",
// "1.30" (all patch versions) or "1.30..1.36" (inclusive).
func ParseVersions(text string) (Versions, error) {
	var set span.Set
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		from, to, isRange := strings.Cut(item, "..")
		if !isRange {
			to = from
		}
		first, err := parseSeries(from)
		if err != nil {
			return Versions{}, fmt.Errorf("parsing versions %q: %w", text, err)
		}
		last, err := parseSeries(to)
		if err != nil {
			return Versions{}, fmt.Errorf("parsing versions %q: %w", text, err)
		}
		if last.Last.Less(first.First) {
			return Versions{}, fmt.Errorf("parsing versions %q: invalid range %q: end before start", text, item)
		}
		set = append(set, span.Span{First: first.First, Last: last.Last})
	}
	return Versions{span.Of(set...)}, nil
}

// parseSeries parses a version, or a minor version as all of its patch versions.
func parseSeries(text string) (span.Span, error) {
	v, err := span.Parse(text)
	dots := strings.Count(text, ".")
	if err != nil || dots == 0 || span.Normalize(text) != strings.TrimPrefix(text, "v") {
		return span.Span{}, fmt.Errorf(`invalid version %q: want a version such as "1.30" or "1.30.2"`, text)
	}
	last := v
	if dots == 1 {
		last.Patch = math.MaxUint64
	}
	return span.Span{First: v, Last: last}, nil
}

// ParseConstraint returns the versions that satisfy a constraint in the syntax of
// github.com/Masterminds/semver, such as ">= 1.30, < 1.34". The error is that of
// semver.
func ParseConstraint(constraint string) (Versions, error) {
	set, err := span.Constraint(constraint)
	return Versions{set}, err
}

// Contains reports whether the version is in v. An invalid version is not.
func (v Versions) Contains(version string) bool {
	parsed, err := span.Parse(version)
	return err == nil && v.set.Contains(parsed)
}

// Empty reports whether v has no version.
func (v Versions) Empty() bool { return len(v.set) == 0 }

// Intersect returns the versions in both.
func (v Versions) Intersect(w Versions) Versions { return Versions{v.set.Intersect(w.set)} }

// Union returns the versions in either.
func (v Versions) Union(w Versions) Versions { return Versions{v.set.Union(w.set)} }

// Equal reports whether both sets are equal.
func (v Versions) Equal(w Versions) bool { return v.set.Equal(w.set) }

// First returns the lowest version of v; ok is false if v is empty.
func (v Versions) First() (version string, ok bool) {
	if v.Empty() {
		return "", false
	}
	return v.set[0].First.String(), true
}

// Single returns the only version of v; ok is false if v has none or more than one.
func (v Versions) Single() (version string, ok bool) {
	if len(v.set) != 1 || v.set[0].First != v.set[0].Last {
		return "", false
	}
	return v.set[0].First.String(), true
}

// String returns the ranges of v, such as "1.30.0..1.32.x, 1.34.2", or "none".
func (v Versions) String() string { return v.set.String() }

// MarshalText returns the text of [Versions.String].
func (v Versions) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
