package imagevector

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// A Shape is which versions a look-up gives. Gardener looks some images up for
// the cluster they run on, some for the one they work for, some for both, some
// for none.
type Shape int

// The shapes.
const (
	// SameVersion gives one version as runtime and as target version, as the look-up
	// of what runs on a worker node does.
	SameVersion Shape = iota
	// TwoVersions gives a runtime version and a target version that may differ.
	TwoVersions
	// RuntimeOnly, TargetOnly and NoVersion leave versions out.
	RuntimeOnly
	TargetOnly
	NoVersion
)

// Shapes returns all shapes.
func Shapes() []Shape { return []Shape{SameVersion, TwoVersions, RuntimeOnly, TargetOnly, NoVersion} }

// String describes the shape in words.
func (s Shape) String() string {
	switch s {
	case SameVersion:
		return "with one version as runtime and target version"
	case TwoVersions:
		return "with a runtime and a target version that differ"
	case RuntimeOnly:
		return "with a runtime version alone"
	case TargetOnly:
		return "with a target version alone"
	}
	return "without any version"
}

// A Difference is where two vectors choose different images.
type Difference struct {
	Name, Architecture string
	Shape              Shape
	// Runtime and Target are the versions looked up: the same ones for SameVersion,
	// empty for what a shape leaves out. For TwoVersions each has those for which
	// some version of the other makes a difference.
	Runtime, Target Versions
	// Before and After are indices of entries in the two vectors' Sources; -1 if
	// none is chosen.
	Before, After int
}

// Compare returns where two vectors choose different images, by name, then by
// architecture in the order given, then by shape. Images are different if
// something else would be pulled. The error says that a name has too many entries.
func Compare(before, after *Vector, within Versions, architectures []string, shapes ...Shape) ([]Difference, error) {
	names := map[string]bool{}
	for name := range before.byName {
		names[name] = true
	}
	for name := range after.byName {
		names[name] = true
	}
	var differences []Difference
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for _, architecture := range architectures {
			for _, s := range shapes {
				found, err := compareName(before, after, name, architecture, s, within)
				if err != nil {
					return nil, err
				}
				differences = append(differences, found...)
			}
		}
	}
	return differences, nil
}

// outcome is a pair of choices.
type outcome struct{ before, after int }

func compareName(before, after *Vector, name, architecture string, s Shape, within Versions) ([]Difference, error) {
	a, b := before.byName[name], after.byName[name]
	both := slices.Concat(a, b)
	where := map[outcome]*Difference{}
	var order []outcome
	note := func(o outcome, runtime, target span.Set) {
		d, known := where[o]
		if !known {
			if before.pulls(o.before) != after.pulls(o.after) {
				d = &Difference{Name: name, Architecture: architecture, Shape: s, Before: o.before, After: o.after}
				order = append(order, o)
			}
			where[o] = d
		}
		if d == nil {
			return
		}
		// Sets are put in order at the end.
		d.Runtime.set = append(d.Runtime.set, runtime...)
		d.Target.set = append(d.Target.set, target...)
	}
	if s == SameVersion {
		for _, class := range classes(both, bothCuts, within.set) {
			o := outcome{best(a, class.First, architecture), best(b, class.First, architecture)}
			note(o, span.Set{class}, span.Set{class})
		}
	} else {
		in := shape{runtime: s == TwoVersions || s == RuntimeOnly, target: s == TwoVersions || s == TargetOnly}
		rows, columns := axis(both, runtimeCuts, in.runtime, within.set), axis(both, targetCuts, in.target, within.set)
		gridA, ok := gridOn(rows, columns, a, in, architecture)
		if !ok {
			return nil, fmt.Errorf("comparing image %q: its %d entries have too many combinations of constraints on both versions", name, len(both))
		}
		gridB, _ := gridOn(rows, columns, b, in, architecture)
		for cell := range gridA.owner {
			o := outcome{index(a, gridA.owner[cell]), index(b, gridB.owner[cell])}
			var runtime, target span.Set
			if in.runtime {
				runtime = span.Set{rows[cell/len(columns)]}
			}
			if in.target {
				target = span.Set{columns[cell%len(columns)]}
			}
			note(o, runtime, target)
		}
	}
	differences := make([]Difference, 0, len(order))
	for _, o := range order {
		d := where[o]
		d.Runtime.set, d.Target.set = span.Of(d.Runtime.set...), span.Of(d.Target.set...)
		differences = append(differences, *d)
	}
	return differences, nil
}

// index returns the index in Sources of an entry by its number in its name.
func index(entries []entry, i int32) int {
	if i < 0 {
		return -1
	}
	return entries[i].index
}

// best returns the index in Sources of the entry that is chosen for one version
// as runtime and target version, -1 if none is.
func best(entries []entry, v span.Version, architecture string) int {
	found, score := -1, int8(0)
	for i := range entries {
		e := &entries[i]
		if !e.architectures.has(architecture) || !e.runtime.admits(v) || !e.target.admits(v) {
			continue
		}
		if s := e.score(shape{true, true}); found < 0 || s > score {
			found, score = e.index, s
		}
	}
	return found
}

// pulls returns what an entry makes a node pull, but for a tag made of the
// version.
func (v *Vector) pulls(i int) string {
	if i < 0 {
		return ""
	}
	return v.sources[i].ToImage(nil).String()
}
