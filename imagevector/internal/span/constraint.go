package span

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Constraint returns the versions that satisfy a constraint of Masterminds/semver.
// The error is that of semver.
//
// Plain constraints, which are nearly all, are evaluated here because it is faster;
// others by semver. Tests compare the two.
func Constraint(text string) (Set, error) {
	if set, ok := plainConstraint(text); ok {
		return set, nil
	}
	c, err := semver.NewConstraint(text)
	if err != nil {
		return nil, err
	}
	return evaluate(c, text), nil
}

// evaluate returns the versions that satisfy c, by checking each version at which
// the result can change.
func evaluate(c *semver.Constraints, text string) Set {
	points := changePoints(text)
	var spans []Span
	for i, p := range points {
		if c.Check(semver.New(p.Major, p.Minor, p.Patch, "", "")) {
			last := highest
			if i+1 < len(points) {
				last = points[i+1].Before()
			}
			spans = append(spans, Span{p, last})
		}
	}
	return Of(spans...)
}

// number matches a version in a constraint. Wildcards and missing parts are 0 in
// [changePoints].
var number = regexp.MustCompile(`[0-9xX*]+(?:\.[0-9xX*]+)*`)

// changePoints returns, sorted, a superset of the versions at which the result of a
// constraint changes. The result of every operator changes at its version, at the
// next one, or where a part of it is incremented.
func changePoints(text string) []Version {
	points := []Version{{}}
	for _, token := range number.FindAllString(text, -1) {
		parts := strings.Split(token, ".")
		for i := range max(1, len(parts)-2) { // every possible start of three parts
			// A number that overflows is a suffix, not a part of a version.
			at := func(j int) uint64 {
				if j >= len(parts) {
					return 0
				}
				n, _ := strconv.ParseUint(parts[j], 10, 64)
				return n
			}
			major, minor, patch := at(i), at(i+1), at(i+2)
			// An increment may overflow: additional points are harmless.
			points = append(points,
				Version{major, minor, patch}, Version{major, minor, 0}, Version{major, 0, 0},
				Version{major, minor, patch + 1}, Version{major, minor + 1, 0}, Version{major + 1, 0, 0},
				Version{major, 0, 1}, Version{major, 1, 0})
		}
	}
	slices.SortFunc(points, Version.Compare)
	return slices.Compact(points)
}
