package span

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Constraint returns the versions that meet a constraint of Masterminds/semver.
// The error is semver's own.
//
// What constraints mean is semver's affair: the plain form of nearly all of them
// is worked out here for speed, all others by asking semver, and the tests hold
// the two to each other.
func Constraint(text string) (Set, error) {
	if set, ok := plainConstraint(text); ok {
		return set, nil
	}
	c, err := semver.NewConstraint(text)
	if err != nil {
		return nil, err
	}
	return ask(c, text), nil
}

// ask finds the versions that meet c by trying each at which the answer can
// change: between two neighbours of those it stays the same.
func ask(c *semver.Constraints, text string) Set {
	points := turningPoints(text)
	set := Set{}
	for i, p := range points {
		if !c.Check(semver.New(p.Major, p.Minor, p.Patch, "", "")) {
			continue
		}
		last := highest
		if i+1 < len(points) {
			last, _ = points[i+1].previous()
		}
		if n := len(set) - 1; n >= 0 && i > 0 && set[n].Last == must(p.previous()) {
			set[n].Last = last
		} else {
			set = append(set, Span{p, last})
		}
	}
	return set
}

func must(v Version, _ bool) Version { return v }

// number is a part of a version in a constraint; x, X, * and what is left out
// count as 0 there.
var number = regexp.MustCompile(`[0-9xX*]+(?:\.[0-9xX*]+)*`)

// turningPoints returns, in order, a superset of the versions at which a
// constraint begins or ceases to be met. Every operator turns at the number it
// names, at its successor, or where one of its parts is counted up.
func turningPoints(text string) []Version {
	points := []Version{{}}
	for _, token := range number.FindAllString(text, -1) {
		parts := strings.Split(token, ".")
		for i := range max(1, len(parts)-2) { // wherever three parts may begin
			// Too large to be a number is no part of a version either: a suffix.
			at := func(j int) uint64 {
				if j >= len(parts) {
					return 0
				}
				n, _ := strconv.ParseUint(parts[j], 10, 64)
				return n
			}
			major, minor, patch := at(i), at(i+1), at(i+2)
			points = append(points,
				Version{major, minor, patch}, Version{major, minor, 0}, Version{major, 0, 0},
				after(Version{major, minor, patch}, 3), after(Version{major, minor, 0}, 2), after(Version{major, 0, 0}, 1),
				after(Version{major, 0, 0}, 3), after(Version{major, 0, 0}, 2))
		}
	}
	slices.SortFunc(points, Version.Compare)
	return slices.Compact(points)
}

// after counts part 1, 2 or 3 of v up, and returns v if it cannot.
func after(v Version, part int) Version {
	w := v
	switch part {
	case 1:
		w.Major++
	case 2:
		w.Minor++
	case 3:
		w.Patch++
	}
	if w.Less(v) {
		return v
	}
	return w
}
