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
type LookupMode int

// The shapes.
const (
	// SameVersion gives one version as runtime and as target version, as the look-up
	// of what runs on a worker node does.
	SameVersion LookupMode = iota
	// TwoVersions gives a runtime version and a target version that may differ.
	TwoVersions
	// RuntimeOnly, TargetOnly and NoVersion leave versions out.
	RuntimeOnly
	TargetOnly
	NoVersion
)

// Shapes returns all shapes.
func LookupModes() []LookupMode {
	return []LookupMode{SameVersion, TwoVersions, RuntimeOnly, TargetOnly, NoVersion}
}

// String describes the shape in words.
func (m LookupMode) String() string {
	switch m {
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
	Mode               LookupMode
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
func Compare(before, after *Vector, within Versions, architectures []string, shapes ...LookupMode) ([]Difference, error) {
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

func compareName(before, after *Vector, name, architecture string, mode LookupMode, within Versions) ([]Difference, error) {
	a, b := before.byName[name], after.byName[name]
	both := slices.Concat(a, b)
	in := lookup{runtime: mode != TargetOnly && mode != NoVersion, target: mode != RuntimeOnly && mode != NoVersion}
	cuts := targetCuts
	if slices.ContainsFunc(both, func(e entry) bool { return e.source.takesVersion() }) {
		cuts = taggedCuts
	}
	p := pairing{before: before, after: after, in: in, pairs: map[outcome]*contrast{}}
	if mode == SameVersion {
		line := classes(both, func(e *entry, to []span.Version) []span.Version { return cuts(e, runtimeCuts(e, to)) }, within.set)
		lineA, lineB := lineOn(line, a, architecture), lineOn(line, b, architecture)
		for i, class := range line {
			p.note(outcome{index(a, lineA.owner[i]), index(b, lineB.owner[i])}, class, class)
		}
	} else {
		rows, columns := axis(both, runtimeCuts, in.runtime, within.set), axis(both, cuts, in.target, within.set)
		gridA, ok := gridOn(rows, columns, a, in, architecture)
		if !ok {
			return nil, fmt.Errorf("comparing image %s: its %d entries have too many combinations of constraints on both versions", quoteShort(name), len(both))
		}
		gridB, _ := gridOn(rows, columns, b, in, architecture)
		for cell := range gridA.owner {
			p.note(outcome{index(a, gridA.owner[cell]), index(b, gridB.owner[cell])}, rows[cell/len(columns)], columns[cell%len(columns)])
		}
	}
	differences := make([]Difference, len(p.found))
	for i, f := range p.found {
		differences[i] = Difference{
			Name: name, Architecture: architecture, Mode: mode, Before: f.before, After: f.after,
			Runtime: Versions{span.Of(f.runtime...)}, Target: Versions{span.Of(f.target...)},
		}
	}
	return differences, nil
}

// taggedCuts cuts target versions also where the tag of an entry is the one that
// a version becomes for an entry without a tag.
func taggedCuts(e *entry, to []span.Version) []span.Version {
	to = targetCuts(e, to)
	if tag := e.image.Tag; tag != nil {
		if v, err := span.Parse(*tag); err == nil && tagOf(v.String()) == *tag {
			return span.Set{{First: v, Last: v}}.AppendCuts(to)
		}
	}
	return to
}

// pairing gathers pairs of choices that differ, in the order they are found.
type pairing struct {
	before, after *Vector
	in            lookup
	pairs         map[outcome]*contrast
	found         []*contrast
}

// contrast is a pair of choices, and the versions for which they differ.
type contrast struct {
	outcome
	runtime, target []span.Span
	differ, found   bool
	// perhaps: the one has a tag, which may be what some version becomes for the other.
	perhaps bool
}

func (p *pairing) note(o outcome, runtime, target span.Span) {
	c := p.pairs[o]
	if c == nil {
		c = &contrast{outcome: o, differ: p.differ(o, versionMark)}
		c.perhaps = c.differ && p.in.target && p.before.takesVersion(o.before) != p.after.takesVersion(o.after)
		p.pairs[o] = c
	}
	if !c.differ || c.perhaps && target.First == target.Last && !p.differ(o, target.First.String()) {
		return
	}
	if !c.found {
		c.found = true
		p.found = append(p.found, c)
	}
	if p.in.runtime {
		c.runtime = append(c.runtime, runtime)
	}
	if p.in.target {
		c.target = append(c.target, target)
	}
}

// differ tells whether something else is pulled for a target version.
func (p *pairing) differ(o outcome, version string) bool {
	return (o.before < 0) != (o.after < 0) || p.before.pulls(o.before, p.in, version) != p.after.pulls(o.after, p.in, version)
}

// index returns the index in Sources of an entry by its number in its name.
func index(entries []entry, i int32) int {
	if i < 0 {
		return -1
	}
	return entries[i].index
}

// pulls returns what an entry makes a node pull in look-ups of a shape, for a
// target version.
func (v *Vector) pulls(i int, in lookup, version string) string {
	if i < 0 {
		return ""
	}
	target := &version
	if !in.target {
		target = nil
	}
	return v.sources[i].ToImage(target).String()
}

// takesVersion tells whether the version becomes the tag of an entry.
func (v *Vector) takesVersion(i int) bool {
	return i >= 0 && v.sources[i].takesVersion()
}
