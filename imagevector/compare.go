package imagevector

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// A LookupMode is the set of versions that a lookup has. Gardener looks up some
// images with the version of the cluster they run on, some with that of the cluster
// they work for, some with both, and some with none.
type LookupMode int

// Lookup modes.
const (
	// SameVersion has one version as both runtime and target version, as lookups of
	// images for worker nodes.
	SameVersion LookupMode = iota
	// TwoVersions has a runtime version and a target version that may differ.
	TwoVersions
	// RuntimeOnly, TargetOnly and NoVersion lack one or both versions.
	RuntimeOnly
	TargetOnly
	NoVersion
)

// LookupModes returns all lookup modes.
func LookupModes() []LookupMode {
	return []LookupMode{SameVersion, TwoVersions, RuntimeOnly, TargetOnly, NoVersion}
}

// String describes the mode, such as "with a runtime version only".
func (m LookupMode) String() string {
	switch m {
	case SameVersion:
		return "with the same runtime and target version"
	case TwoVersions:
		return "with different runtime and target versions"
	case RuntimeOnly:
		return "with a runtime version only"
	case TargetOnly:
		return "with a target version only"
	}
	return "without a version"
}

// A Difference is a set of lookups for which two vectors choose different images.
type Difference struct {
	Name, Architecture string
	Mode               LookupMode
	// Runtime and Target are the versions of the lookups: equal for SameVersion, and
	// empty if the mode lacks the version. For TwoVersions, each has the versions for
	// which the images differ with some version of the other.
	Runtime, Target Versions
	// Before and After are the indices of the chosen entries in the Sources of the
	// two vectors; -1 for none.
	Before, After int
}

// Compare returns the lookups for which two vectors choose different images, within
// a set of versions, for the architectures and modes. They are sorted by name, then
// in the order of architectures and modes. Images differ if their references do. A zero
// Vector has no images. The error reports a name with too many entries to compare.
func Compare(before, after *Vector, within Versions, architectures []string, modes ...LookupMode) ([]Difference, error) {
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
			for _, mode := range modes {
				found, err := compareName(before, after, name, architecture, mode, within)
				if err != nil {
					return nil, err
				}
				differences = append(differences, found...)
			}
		}
	}
	return differences, nil
}

// entryPair is a pair of chosen entries.
type entryPair struct{ before, after int }

func compareName(before, after *Vector, name, architecture string, mode LookupMode, within Versions) ([]Difference, error) {
	a, b := before.byName[name], after.byName[name]
	both := slices.Concat(a, b)
	kind := lookupKind{runtime: mode != TargetOnly && mode != NoVersion, target: mode != RuntimeOnly && mode != NoVersion}
	cuts := targetCuts
	if slices.ContainsFunc(both, func(e entry) bool { return e.source.takesVersion() }) {
		cuts = taggedCuts
	}
	c := comparer{before: before, after: after, kind: kind, pairs: map[entryPair]*pairDifference{}}
	if mode == SameVersion {
		line := classes(both, func(e *entry, to []span.Version) []span.Version { return cuts(e, runtimeCuts(e, to)) }, within.set)
		lineA, lineB := lineOn(line, a, architecture), lineOn(line, b, architecture)
		for i, class := range line {
			c.add(entryPair{index(a, lineA.owner[i]), index(b, lineB.owner[i])}, class, class)
		}
	} else {
		rows, columns := axis(both, runtimeCuts, kind.runtime, within.set), axis(both, cuts, kind.target, within.set)
		gridA, ok := gridOn(rows, columns, a, kind, architecture)
		if !ok {
			return nil, fmt.Errorf("comparing image %s: %d entries have too many combinations of constraints on both versions", quoteShort(name), len(both))
		}
		gridB, _ := gridOn(rows, columns, b, kind, architecture)
		for cell := range gridA.owner {
			c.add(entryPair{index(a, gridA.owner[cell]), index(b, gridB.owner[cell])}, rows[cell/len(columns)], columns[cell%len(columns)])
		}
	}
	differences := make([]Difference, len(c.found))
	for i, f := range c.found {
		differences[i] = Difference{
			Name: name, Architecture: architecture, Mode: mode, Before: f.before, After: f.after,
			Runtime: Versions{span.Of(f.runtime...)}, Target: Versions{span.Of(f.target...)},
		}
	}
	return differences, nil
}

// taggedCuts cuts target versions also at a version whose tag, for an entry without
// one, equals the tag of another entry.
func taggedCuts(e *entry, to []span.Version) []span.Version {
	to = targetCuts(e, to)
	if tag := e.image.Tag; tag != nil {
		if v, err := span.Parse(*tag); err == nil && tagOf(v.String()) == *tag {
			return span.Set{{First: v, Last: v}}.AppendCuts(to)
		}
	}
	return to
}

// comparer collects pairs of chosen entries that differ, in the order of discovery.
type comparer struct {
	before, after *Vector
	kind          lookupKind
	pairs         map[entryPair]*pairDifference
	found         []*pairDifference
}

// pairDifference is a pair of chosen entries, and the versions for which their images
// differ.
type pairDifference struct {
	entryPair
	runtime, target []span.Span
	differ, found   bool
	// dependsOnVersion reports that only one entry has a tag, which some version may equal.
	dependsOnVersion bool
}

func (c *comparer) add(pair entryPair, runtime, target span.Span) {
	d := c.pairs[pair]
	if d == nil {
		d = &pairDifference{entryPair: pair, differ: c.differ(pair, versionMark)}
		d.dependsOnVersion = d.differ && c.kind.target && c.before.takesVersion(pair.before) != c.after.takesVersion(pair.after)
		c.pairs[pair] = d
	}
	if !d.differ || d.dependsOnVersion && target.First == target.Last && !c.differ(pair, target.First.String()) {
		return
	}
	if !d.found {
		d.found = true
		c.found = append(c.found, d)
	}
	if c.kind.runtime {
		d.runtime = append(d.runtime, runtime)
	}
	if c.kind.target {
		d.target = append(d.target, target)
	}
}

// differ reports whether the images differ for a target version.
func (c *comparer) differ(pair entryPair, version string) bool {
	return (pair.before < 0) != (pair.after < 0) || c.before.reference(pair.before, c.kind, version) != c.after.reference(pair.after, c.kind, version)
}

// index returns the index in Sources of the i-th entry of a name, -1 for none.
func index(entries []entry, i int32) int {
	if i < 0 {
		return -1
	}
	return entries[i].index
}

// reference returns the image reference of an entry in lookups with a target version.
func (v *Vector) reference(i int, kind lookupKind, version string) string {
	if i < 0 {
		return ""
	}
	if !kind.target {
		return v.sources[i].ToImage(nil).String()
	}
	return v.sources[i].ToImage(&version).String()
}

// takesVersion reports whether the target version becomes the tag of an entry.
func (v *Vector) takesVersion(i int) bool { return i >= 0 && v.sources[i].takesVersion() }
