package imagevector

import (
	"cmp"
	"slices"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// The entries of a name that are chosen, over all possible lookups, are computed on
// a grid of runtime versions by target versions. Each axis is cut at the bounds of
// all constraints. The score of an entry depends on which versions a lookup has, but
// not on their values. So for each kind of lookup the entries have a fixed order, and
// each entry takes the cells that it matches and no earlier entry has taken.

// maxCells limits the grid of one name. It allows thousands of entries of a name,
// unless most have constraints on both versions.
const maxCells = 1 << 20

// grid has the lookups of one kind for one architecture.
type grid struct {
	kind          lookupKind
	architecture  string
	rows, columns []span.Span // classes of runtime and of target versions
	owner         []int32     // the chosen entry by row and column, -1 for none
}

// lookupKind has the versions that a lookup has.
type lookupKind struct{ runtime, target bool }

// classes splits versions at the bounds of the constraints of the entries. Each
// constraint has the same result for all versions of a class.
func classes(entries []entry, appendCuts func(*entry, []span.Version) []span.Version, within span.Set) []span.Span {
	cuts := make([]span.Version, 0, 2*len(entries))
	for i := range entries {
		cuts = appendCuts(&entries[i], cuts)
	}
	slices.SortFunc(cuts, span.Version.Compare)
	cuts = slices.Compact(cuts)
	out := make([]span.Span, 0, len(cuts)+len(within))
	i := 0
	for _, s := range within {
		for ; i < len(cuts) && !s.First.Less(cuts[i]); i++ {
		}
		for ; i < len(cuts) && !s.Last.Less(cuts[i]); i++ {
			out = append(out, span.Span{First: s.First, Last: cuts[i].Before()})
			s.First = cuts[i]
		}
		out = append(out, s)
	}
	return out
}

func runtimeCuts(e *entry, to []span.Version) []span.Version { return e.runtime.set.AppendCuts(to) }
func targetCuts(e *entry, to []span.Version) []span.Version  { return e.target.set.AppendCuts(to) }

func bothCuts(e *entry, to []span.Version) []span.Version {
	return targetCuts(e, runtimeCuts(e, to))
}

// axis returns the classes of a version of the lookup; a single class if the lookup
// lacks the version.
func axis(entries []entry, appendCuts func(*entry, []span.Version) []span.Version, given bool, within span.Set) []span.Span {
	if !given {
		return make([]span.Span, 1)
	}
	return classes(entries, appendCuts, within)
}

// score returns the score of an entry in lookups that it matches.
func (e *entry) score(kind lookupKind) int8 {
	n := e.architectures.score
	if kind.runtime {
		n += e.runtime.score
	}
	if kind.target {
		n += e.target.score
	}
	return n
}

// gridOn returns the grid of a kind of lookup for one architecture. ok is false if it
// would exceed maxCells.
func gridOn(rows, columns []span.Span, entries []entry, kind lookupKind, architecture string) (_ *grid, ok bool) {
	if len(rows)*len(columns) > maxCells {
		return nil, false
	}
	g := &grid{kind: kind, architecture: architecture, rows: rows, columns: columns}
	g.assign(entries, func(e *entry) (rows, columns [][2]int) {
		return matching(g.rows, &e.runtime, kind.runtime), matching(g.columns, &e.target, kind.target)
	})
	return g, true
}

// lineOn returns the grid, a single row, of lookups with the same runtime and target
// version.
func lineOn(columns []span.Span, entries []entry, architecture string) *grid {
	g := &grid{kind: lookupKind{true, true}, architecture: architecture, rows: make([]span.Span, 1), columns: columns}
	g.assign(entries, func(e *entry) (rows, columns [][2]int) {
		both := constraint{given: e.runtime.given || e.target.given, set: e.target.set}
		switch {
		case !e.target.given:
			both.set = e.runtime.set
		case e.runtime.given:
			both.set = e.runtime.set.Intersect(e.target.set)
		}
		return [][2]int{{0, 1}}, matching(g.columns, &both, true)
	})
	return g
}

// allGrids returns the grids of all kinds of lookups and architectures.
func allGrids(entries []entry) (grids []*grid, ok bool) {
	kinds, architectures := lookups(entries)
	for _, kind := range kinds {
		for _, architecture := range architectures {
			g, ok := gridOn(axis(entries, runtimeCuts, kind.runtime, span.All()), axis(entries, targetCuts, kind.target, span.All()), entries, kind, architecture)
			if !ok {
				return nil, false
			}
			grids = append(grids, g)
		}
	}
	return grids, true
}

// assign sets the owner of every cell. The ranges of rows and columns that an entry
// matches are returned by area.
func (g *grid) assign(entries []entry, area func(*entry) (rows, columns [][2]int)) {
	order := make([]int32, 0, len(entries))
	for i := range entries {
		e := &entries[i]
		if e.architectures.has(g.architecture) && (!g.kind.runtime || e.runtime.err == nil) && (!g.kind.target || e.target.err == nil) {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(entries[b].score(g.kind), entries[a].score(g.kind)) })

	width := len(g.columns)
	g.owner = make([]int32, len(g.rows)*width)
	for i := range g.owner {
		g.owner[i] = -1
	}
	// nextFree leads from a cell to the first free one of its row at or after it, as in
	// union-find, so that owned cells are skipped.
	nextFree := make([]int32, len(g.rows)*(width+1))
	for i := range nextFree {
		nextFree[i] = int32(i % (width + 1))
	}
	for _, i := range order {
		rows, columns := area(&entries[i])
		for _, r := range rows {
			for row := r[0]; row < r[1]; row++ {
				next := nextFree[row*(width+1) : (row+1)*(width+1)]
				for _, c := range columns {
					for column := firstFree(next, c[0]); column < c[1]; column = firstFree(next, column) {
						g.owner[row*width+column] = i
						next[column] = int32(column + 1)
					}
				}
			}
		}
	}
}

// firstFree returns the first free cell at or after a cell, and compresses the path to
// it.
func firstFree(next []int32, cell int) int {
	root := cell
	for int(next[root]) != root {
		root = int(next[root])
	}
	for int(next[cell]) != root {
		cell, next[cell] = int(next[cell]), int32(root)
	}
	return root
}

// matching returns the ranges of an axis, each with its first class and the one
// after its last, that satisfy the constraint.
func matching(on []span.Span, c *constraint, given bool) [][2]int {
	if !given || !c.given {
		return [][2]int{{0, len(on)}}
	}
	var out [][2]int
	for _, s := range c.set {
		first, _ := slices.BinarySearchFunc(on, s.First, compareFirst)
		last, found := slices.BinarySearchFunc(on, s.Last, compareFirst)
		if found {
			last++
		}
		if first < last {
			out = append(out, [2]int{first, last})
		}
	}
	return out
}

func compareFirst(s span.Span, v span.Version) int { return s.First.Compare(v) }

// lookups returns the kinds of lookups and the architectures for which the results
// of these entries can differ.
func lookups(entries []entry) (kinds []lookupKind, architectures []string) {
	runtime, target := false, false
	architectures = []string{amd64, arm64}
	for i := range entries {
		runtime = runtime || entries[i].runtime.given
		target = target || entries[i].target.given
		for _, name := range entries[i].architectures.list {
			if bit(name) == 0 && !slices.Contains(architectures, name) {
				architectures = append(architectures, name)
			}
		}
	}
	for _, k := range []lookupKind{{false, false}, {true, false}, {false, true}, {true, true}} {
		if (runtime || !k.runtime) && (target || !k.target) {
			kinds = append(kinds, k)
		}
	}
	return kinds, architectures
}
