package imagevector

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// checkChoices adds the problems of entries with each other: entries that are never
// chosen and, for the versions of [WithVersions], names without image or with
// several entries of the same score.
func (v *Vector) checkChoices(problems *Problems) {
	if v.config.overwrite {
		v.checkKeys(problems)
		return
	}
	invalid := v.invalidNames(*problems)
	for _, name := range v.Names() {
		if name == "" {
			continue
		}
		if entries := v.byName[name]; len(entries) > 1 {
			v.checkNeverChosen(problems, name, entries)
		}
		if !v.config.within.Empty() && !invalid[name] && !invalid[""] {
			v.checkVersions(problems, name)
		}
	}
}

// invalidNames returns the names of entries with problems, whose choices are
// unknown. An entry without a name may belong to any name.
func (v *Vector) invalidNames(problems Problems) map[string]bool {
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

// checkKeys adds the entries of an overwrite that replace another one of it.
func (v *Vector) checkKeys(problems *Problems) {
	first := map[key]int{}
	for i := range v.sources {
		k := keyOf(&v.sources[i])
		if j, ok := first[k]; ok && k.name != "" {
			v.problem(problems, i, "entry of %s has the same name, constraints and architectures as %s, and replaces it", quoteShort(k.name), v.describe(j))
			continue
		}
		first[k] = i
	}
}

func (v *Vector) checkNeverChosen(problems *Problems, name string, entries []entry) {
	grids, ok := allGrids(entries)
	if !ok {
		v.problem(problems, entries[0].index, "the %d entries of %s have too many combinations of constraints on both versions to be checked", len(entries), quoteShort(name))
		return
	}
	chosen := chosenEntries(grids, len(entries))
	budget := maxCells
	for i := range entries {
		e := &entries[i]
		if chosen[i] || e.runtime.err != nil || e.target.err != nil || e.matchesNothing() {
			continue // reported already
		}
		var others []string
		for _, j := range chosenInstead(grids, e, &budget) {
			others = append(others, v.describe(entries[j].index))
		}
		v.problem(problems, e.index, "entry of %s is never chosen: wherever it matches, %s has a higher score or comes first", quoteShort(name), strings.Join(others, " or "))
	}
}

// chosenEntries reports for each entry whether any lookup chooses it.
func chosenEntries(grids []*grid, entries int) []bool {
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

// neverChosen returns the indices of entries that no lookup chooses. It omits names
// with too many combinations to check.
func (v *Vector) neverChosen() map[int]bool {
	never := map[int]bool{}
	for _, entries := range v.byName {
		grids, ok := allGrids(entries)
		if !ok {
			continue
		}
		for i, chosen := range chosenEntries(grids, len(entries)) {
			if !chosen {
				never[entries[i].index] = true
			}
		}
	}
	return never
}

// chosenInstead returns entries that are chosen where an entry matches. The list may be
// incomplete if there are many, or if the budget is used up.
func chosenInstead(grids []*grid, e *entry, budget *int) []int32 {
	const enough = 4
	var found []int32
	for _, g := range grids {
		if !e.architectures.has(g.architecture) {
			continue
		}
		for _, rows := range matching(g.rows, &e.runtime, g.kind.runtime) {
			for _, columns := range matching(g.columns, &e.target, g.kind.target) {
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

// matchesNothing reports whether the entry matches no lookup.
func (e *entry) matchesNothing() bool {
	return e.runtime.given && len(e.runtime.set) == 0 || e.target.given && len(e.target.set) == 0 || e.source.Architectures != nil && len(e.source.Architectures) == 0
}

// describe returns the line of entry i, or its index if it has no line.
func (v *Vector) describe(i int) string {
	if line := v.sources[i].Position.Line; line > 0 {
		return fmt.Sprintf("the entry at line %d", line)
	}
	return indexed("images", i)
}

// problem adds a problem of entry i.
func (v *Vector) problem(problems *Problems, i int, format string, args ...any) {
	s := &v.sources[i]
	problems.add(Problem{Position: s.Position, Field: indexed("images", i), Kind: Invalid, Value: s.Name, Message: fmt.Sprintf(format, args...)})
}

// A Choice is the entry that is chosen for a set of Kubernetes versions.
type Choice struct {
	Versions Versions
	// Entry is the index of the chosen entry in Sources; -1 for none.
	Entry int
	// Tied are the indices of later entries with the same score.
	Tied []int
}

// Choices returns the entries that are chosen for a name and an architecture within
// a set of versions, each as both runtime and target version. Versions with the same
// result are one Choice, in the order of their first version.
func (v *Vector) Choices(name, architecture string, within Versions) []Choice {
	entries := v.byName[name]
	var choices []Choice
	for _, part := range classes(entries, bothCuts, within.set) {
		best, tied := -1, []int(nil)
		var score int8
		for i := range entries {
			e := &entries[i]
			if !e.architectures.has(architecture) || !e.runtime.allows(part.First) || !e.target.allows(part.First) {
				continue
			}
			switch s := e.score(lookupKind{true, true}); {
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

// allows reports whether v satisfies the constraint, if there is one.
func (c *constraint) allows(v span.Version) bool {
	return !c.given || c.err == nil && c.set.Contains(v)
}

// checkVersions adds the versions without image and the ties of one name.
func (v *Vector) checkVersions(problems *Problems, name string) {
	architectures := v.config.architectures
	if len(architectures) == 0 {
		architectures = []string{amd64}
	}
	for _, architecture := range architectures {
		for _, c := range v.Choices(name, architecture, v.config.within) {
			if c.Entry < 0 {
				v.problem(problems, v.byName[name][0].index, "no image of %s for Kubernetes %s on %s", quoteShort(name), c.Versions, architecture)
			} else if len(c.Tied) > 0 {
				v.problem(problems, c.Tied[0], "for Kubernetes %s on %s, entry of %s has the same score as images[%d], which is chosen because it comes first", c.Versions, architecture, quoteShort(name), c.Entry)
			}
		}
	}
}
