package imagevector

import (
	"cmp"
	"slices"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// Which of the entries of a name are chosen, over all look-ups there can be, is
// found on a grid: runtime versions by target versions, each axis cut where any
// constraint begins or ceases to be met. What an entry scores does not depend on
// the version, only on whether there is one. So for each shape of look-up the
// entries have one order, and each takes the cells it matches that no entry
// before it has taken.

// maxCells bounds the grid of one name. Thousands of entries of one name stay
// below, unless they all have constraints on both versions.
const maxCells = 1 << 20

// grid is the look-ups of one shape for one architecture.
type grid struct {
	in            lookup
	architecture  string
	rows, columns []span.Span // classes of runtime and of target versions
	owner         []int32     // by row and column: which entry is chosen, -1 if none
}

// shape tells which versions a look-up gives.
type lookup struct{ runtime, target bool }

// classes cuts versions where a constraint of the entries begins or ceases to be
// met, so that the versions of one class are all alike to them.
func classes(entries []entry, of func(*entry, []span.Version) []span.Version, within span.Set) []span.Span {
	cuts := make([]span.Version, 0, 2*len(entries))
	for i := range entries {
		cuts = of(&entries[i], cuts)
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

// axis returns the classes of one version of a shape; a look-up without that
// version has one class.
func axis(entries []entry, of func(*entry, []span.Version) []span.Version, given bool, within span.Set) []span.Span {
	if !given {
		return make([]span.Span, 1)
	}
	return classes(entries, of, within)
}

// score is what an entry scores in a shape, wherever it matches.
func (e *entry) score(in lookup) int8 {
	n := e.architectures.score
	if in.runtime {
		n += e.runtime.score
	}
	if in.target {
		n += e.target.score
	}
	return n
}

// newGrid finds who is chosen in one shape for one architecture. ok is false if
// the grid would be too large.
func newGrid(entries []entry, in lookup, architecture string, within span.Set) (_ *grid, ok bool) {
	return gridOn(axis(entries, runtimeCuts, in.runtime, within), axis(entries, targetCuts, in.target, within), entries, in, architecture)
}

func gridOn(rows, columns []span.Span, entries []entry, in lookup, architecture string) (_ *grid, ok bool) {
	if len(rows)*len(columns) > maxCells {
		return nil, false
	}
	g := &grid{in: in, architecture: architecture, rows: rows, columns: columns}
	g.claim(entries, func(e *entry) (rows, columns [][2]int) {
		return matching(g.rows, &e.runtime, in.runtime), matching(g.columns, &e.target, in.target)
	})
	return g, true
}

// lineOn is the grid of look-ups with one version as runtime and target version:
// a single row.
func lineOn(columns []span.Span, entries []entry, architecture string) *grid {
	g := &grid{in: lookup{true, true}, architecture: architecture, rows: make([]span.Span, 1), columns: columns}
	g.claim(entries, func(e *entry) (rows, columns [][2]int) {
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

// allGrids returns the grids of every shape and architecture that differ.
func allGrids(entries []entry) (grids []*grid, ok bool) {
	in, architectures := lookups(entries)
	for _, s := range in {
		for _, architecture := range architectures {
			g, ok := newGrid(entries, s, architecture, span.All())
			if !ok {
				return nil, false
			}
			grids = append(grids, g)
		}
	}
	return grids, true
}

// claim gives every cell to the entry that is chosen there; area tells which
// stretches of rows and of columns an entry matches.
func (g *grid) claim(entries []entry, area func(*entry) (rows, columns [][2]int)) {
	in := g.in
	order := make([]int32, 0, len(entries))
	for i := range entries {
		e := &entries[i]
		if e.architectures.has(g.architecture) && (!in.runtime || e.runtime.err == nil) && (!in.target || e.target.err == nil) {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(entries[b].score(in), entries[a].score(in)) })

	width := len(g.columns)
	g.owner = make([]int32, len(g.rows)*width)
	for i := range g.owner {
		g.owner[i] = -1
	}
	// free[c] is the next cell of the row, from c on, that may still be free: so
	// that no cell is looked at often, however many entries match it.
	free := make([]int32, len(g.rows)*(width+1))
	for i := range free {
		free[i] = int32(i % (width + 1))
	}
	for _, i := range order {
		of, columns := area(&entries[i])
		for _, rows := range of {
			for row := rows[0]; row < rows[1]; row++ {
				next := free[row*(width+1) : (row+1)*(width+1)]
				for _, c := range columns {
					for cell := find(next, c[0]); cell < c[1]; cell = find(next, cell) {
						g.owner[row*width+cell] = i
						next[cell] = int32(cell + 1)
					}
				}
			}
		}
	}
}

// find follows free to the first free cell, and shortens the way for the next.
func find(free []int32, cell int) int {
	root := cell
	for int(free[root]) != root {
		root = int(free[root])
	}
	for int(free[cell]) != root {
		cell, free[cell] = int(free[cell]), int32(root)
	}
	return root
}

// matching returns the stretches of an axis, each from its first class to after
// its last, where the constraint is met.
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

// shapes returns the shapes of look-ups that differ for these entries, and the
// architectures that do.
func lookups(entries []entry) (in []lookup, architectures []string) {
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
	in = []lookup{{}}
	if runtime {
		in = append(in, lookup{runtime: true})
	}
	if target {
		in = append(in, lookup{target: true})
	}
	if runtime && target {
		in = append(in, lookup{runtime: true, target: true})
	}
	return in, architectures
}
