package imagevector

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// checkChoices adds what is wrong with the entries together: those that are never
// chosen and, for the versions of [WithVersions], names for which no entry is
// chosen, or more than one could be.
func (v *Vector) checkChoices(problems *Problems) {
	if v.config.overwrite {
		v.checkKeys(problems)
		return
	}
	unsure := v.unsure(*problems)
	for _, name := range v.Names() {
		if name == "" {
			continue
		}
		if entries := v.byName[name]; len(entries) > 1 {
			v.checkNeverChosen(problems, name, entries)
		}
		if !v.config.within.Empty() && !unsure[name] && !unsure[""] {
			v.checkVersions(problems, name)
		}
	}
}

// unsure returns the names of entries with problems of their own: what is chosen
// for those, nobody knows before they are mended. An entry without a name may be
// meant for any.
func (v *Vector) unsure(problems Problems) map[string]bool {
	names := map[string]bool{}
	for _, p := range problems {
		if rest, ok := strings.CutPrefix(p.Field, "images["); ok {
			number, _, _ := strings.Cut(rest, "]")
			if i, err := strconv.Atoi(number); err == nil && i < len(v.sources) {
				names[v.sources[i].Name] = true
			}
		}
	}
	return names
}

// checkKeys adds the entries of an overwrite that others of it replace.
func (v *Vector) checkKeys(problems *Problems) {
	first := map[key]int{}
	for i := range v.sources {
		k := keyOf(&v.sources[i])
		if j, ok := first[k]; ok && k.name != "" {
			problems.add(Problem{
				Position: v.sources[i].Position, Field: indexed("images", i), Kind: Invalid, Value: k.name,
				Message: fmt.Sprintf("this entry of %s has the name, constraints and architectures of %s, and replaces what that one says", quoteShort(k.name), v.describe(&entry{index: j, source: &v.sources[j]})),
			})
			continue
		}
		first[k] = i
	}
}

func (v *Vector) checkNeverChosen(problems *Problems, name string, entries []entry) {
	grids, ok := allGrids(entries)
	if !ok {
		problems.add(Problem{
			Position: entries[0].source.Position, Field: indexed("images", entries[0].index), Kind: Invalid, Value: name,
			Message: fmt.Sprintf("the %d entries of %s have more combinations of constraints on both versions than can be checked", len(entries), quoteShort(name)),
		})
		return
	}
	chosen := owners(grids, len(entries))
	budget := maxCells
	for i := range entries {
		e := &entries[i]
		if chosen[i] || e.runtime.err != nil || e.target.err != nil || e.impossible() {
			continue // the latter are problems already
		}
		var others []string
		for _, j := range winners(grids, e, &budget) {
			others = append(others, v.describe(&entries[j]))
		}
		problems.add(Problem{
			Position: e.source.Position, Field: indexed("images", e.index), Kind: Invalid, Value: name,
			Message: fmt.Sprintf("this entry of %s is never chosen: wherever it matches, %s scores higher or comes first", quoteShort(name), strings.Join(others, " or ")),
		})
	}
}

// owners tells of each entry whether it is chosen anywhere.
func owners(grids []*grid, entries int) []bool {
	chosen := make([]bool, entries)
	for _, g := range grids {
		for _, owner := range g.owner {
			if owner >= 0 {
				chosen[owner] = true
			}
		}
	}
	return chosen
}

// neverChosen returns the indices of entries that no look-up chooses. Names for
// which that would take too long to find out have none.
func (v *Vector) neverChosen() map[int]bool {
	never := map[int]bool{}
	for _, entries := range v.byName {
		grids, ok := allGrids(entries)
		if !ok {
			continue
		}
		for i, chosen := range owners(grids, len(entries)) {
			if !chosen {
				never[entries[i].index] = true
			}
		}
	}
	return never
}

// winners returns who is chosen where an entry matches: some of them, if they
// are many or the search has become long.
func winners(grids []*grid, e *entry, budget *int) []int32 {
	const enough = 4
	var found []int32
	for _, g := range grids {
		if !e.architectures.has(g.architecture) {
			continue
		}
		for _, rows := range matching(g.rows, &e.runtime, g.in.runtime) {
			for _, columns := range matching(g.columns, &e.target, g.in.target) {
				for row := rows[0]; row < rows[1]; row++ {
					for _, owner := range g.owner[row*len(g.columns)+columns[0] : row*len(g.columns)+columns[1]] {
						if *budget--; owner >= 0 && !slices.Contains(found, owner) {
							found = append(found, owner)
						}
						if len(found) == enough || *budget < 0 && len(found) > 0 {
							slices.Sort(found)
							return found
						}
					}
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// impossible tells whether no look-up at all can choose the entry.
func (e *entry) impossible() bool {
	return e.runtime.given && len(e.runtime.set) == 0 || e.target.given && len(e.target.set) == 0 || e.source.Architectures != nil && len(e.source.Architectures) == 0
}

// describe names an entry by its line, or by its number if it has none.
func (v *Vector) describe(e *entry) string {
	if e.source.Position.Line > 0 {
		return fmt.Sprintf("the one at line %d", e.source.Position.Line)
	}
	return fmt.Sprintf("images[%d]", e.index)
}

// A Choice is what is chosen for some Kubernetes versions.
type Choice struct {
	Versions Versions
	// Entry is the index in Sources of the entry that is chosen; -1 if none is.
	Entry int
	// Tied are the indices of entries that match with the same score, but come
	// later.
	Tied []int
}

// Choices returns what is chosen for a name and an architecture over versions,
// each being runtime and target version at once. Versions with the same outcome
// are one Choice; they come in the order of their first version.
func (v *Vector) Choices(name, architecture string, within Versions) []Choice {
	entries := v.byName[name]
	var choices []Choice
	for _, part := range classes(entries, bothCuts, within.set) {
		best, tied := -1, []int(nil)
		var score int8
		for i := range entries {
			e := &entries[i]
			if !e.architectures.has(architecture) || !e.runtime.admits(part.First) || !e.target.admits(part.First) {
				continue
			}
			switch s := e.score(lookup{true, true}); {
			case best < 0 || s > score:
				best, score, tied = e.index, s, nil
			case s == score:
				tied = append(tied, e.index)
			}
		}
		i := slices.IndexFunc(choices, func(c Choice) bool { return c.Entry == best && slices.Equal(c.Tied, tied) })
		if i < 0 {
			choices = append(choices, Choice{Entry: best, Tied: tied})
			i = len(choices) - 1
		}
		choices[i].Versions.set = append(choices[i].Versions.set, part)
	}
	for i := range choices {
		choices[i].Versions.set = span.Of(choices[i].Versions.set...)
	}
	return choices
}

// admits tells whether the constraint is met, if there is one.
func (c *constraint) admits(v span.Version) bool {
	return !c.given || c.err == nil && c.set.Contains(v)
}

// checkVersions adds the gaps and the ties of one name.
func (v *Vector) checkVersions(problems *Problems, name string) {
	architectures := v.config.architectures
	if len(architectures) == 0 {
		architectures = []string{amd64}
	}
	first := v.byName[name][0]
	for _, architecture := range architectures {
		for _, c := range v.Choices(name, architecture, v.config.within) {
			at, message := first.source.Position, ""
			index := first.index
			switch {
			case c.Entry < 0:
				message = fmt.Sprintf("no entry of %s is chosen for Kubernetes %s on %s", quoteShort(name), c.Versions, architecture)
			case len(c.Tied) > 0:
				index = c.Tied[0]
				at = v.sources[index].Position
				message = fmt.Sprintf("for Kubernetes %s on %s this entry of %s scores as high as images[%d], which is chosen only because it comes first", c.Versions, architecture, quoteShort(name), c.Entry)
			default:
				continue
			}
			problems.add(Problem{Position: at, Field: indexed("images", index), Kind: Invalid, Value: name, Message: message})
		}
	}
}
