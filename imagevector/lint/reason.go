package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/imagevector/internal/nearest"
)

// judge sums an entry up and says why, given the vector with the overwrite.
func (l *linter) judge(e *Entry, with *imagevector.Vector) {
	s := e.Source
	merged := with.Sources()
	own := slices.IndexFunc(merged, func(m imagevector.Source) bool { return imagevector.SameKey(m, s) })
	into := slices.IndexFunc(l.base, func(b imagevector.Source) bool { return imagevector.SameKey(b, s) })
	matches := l.matching(s)
	e.Losses = l.losses(with, merged, own, matches)
	switch later := l.replacedBy(e.Index); {
	case len(e.Effects) > 0 && (into >= 0 || len(e.Losses) == 0):
		// What is merged is chosen wherever its entry was: more was never meant.
		e.Verdict, e.Losses = Effective, nil
		return
	case len(e.Effects) > 0:
		e.Verdict = Partial
		e.Reasons = append(e.Reasons, added)
	case later != nil:
		e.Reasons = append(e.Reasons, fmt.Sprintf("the entry at %v has the same name, constraints and architectures, and replaces what this one says", later.Position))
	case !l.matters(s):
		e.Reasons = append(e.Reasons, fmt.Sprintf("it matches nothing of Kubernetes %v on %s: it is for %s", l.config.Kubernetes, strings.Join(l.config.Architectures, " or "), conditions(s)))
	case into >= 0 && len(e.Losses) == 0:
		e.Reasons = append(e.Reasons, fmt.Sprintf("it says nothing that %v does not say already", l.base[into].Position))
	case into >= 0:
		e.Reasons = append(e.Reasons, fmt.Sprintf("it is merged into %v, which itself is not chosen", l.base[into].Position))
	default:
		e.Reasons = append(e.Reasons, added)
	}
	meant := l.meant(s)
	for i, loss := range e.Losses {
		e.Reasons = append(e.Reasons, beats(with, own, loss))
		if into < 0 && !slices.ContainsFunc(e.Losses[:i], func(before Loss) bool { return before.index == loss.index }) {
			e.Reasons = append(e.Reasons, differing(s, loss.To)...)
			if len(meant) == 0 {
				l.fix(e, loss.To)
			}
		}
	}
	for _, entry := range meant {
		e.Reasons = append(e.Reasons, fmt.Sprintf("version %q is no constraint; %v has it as one", *s.Version, entry.Position))
		l.fix(e, entry)
	}
}

const added = "it is added beside the entries of this name, not merged into one: none has its constraints and architectures letter by letter"

// matching returns the versions that matter and meet the entry's constraints.
func (l *linter) matching(s imagevector.Source) imagevector.Versions {
	matches := l.config.Kubernetes
	for _, text := range []*string{s.RuntimeVersion, s.TargetVersion} {
		if text != nil {
			admitted, _ := imagevector.ParseConstraint(*text) // was read before
			matches = matches.Intersect(admitted)
		}
	}
	return matches
}

// matters tells whether an entry is for anything that does.
func (l *linter) matters(s imagevector.Source) bool {
	return !l.matching(s).Empty() && slices.ContainsFunc(l.config.Architectures, func(a string) bool { return isFor(s, a) })
}

// losses returns where an entry matches and one is chosen that the overwrite does
// not touch, one version being runtime and target version.
func (l *linter) losses(with *imagevector.Vector, merged []imagevector.Source, own int, matches imagevector.Versions) []Loss {
	s := merged[own]
	var found []Loss
	for _, architecture := range l.config.Architectures {
		if !isFor(s, architecture) {
			continue
		}
		for _, c := range with.Choices(s.Name, architecture, matches) {
			if c.Entry < 0 || c.Entry == own || l.touches(merged[c.Entry]) {
				continue
			}
			same := slices.IndexFunc(found, func(f Loss) bool { return f.index == c.Entry && f.Versions.Equal(c.Versions) })
			if same >= 0 {
				found[same].Architectures = append(found[same].Architectures, architecture)
				continue
			}
			found = append(found, Loss{c.Versions, []string{architecture}, merged[c.Entry], c.Entry})
		}
	}
	return found
}

// touches tells whether the overwrite has an entry that is merged into this one,
// or is this one.
func (l *linter) touches(entry imagevector.Source) bool {
	return slices.ContainsFunc(l.over, func(o imagevector.Source) bool { return imagevector.SameKey(o, entry) })
}

// replacedBy returns the last entry of the overwrite that has the key of entry i,
// nil if it is that entry itself.
func (l *linter) replacedBy(i int) *imagevector.Source {
	for j := len(l.over) - 1; j > i; j-- {
		if imagevector.SameKey(l.over[i], l.over[j]) {
			return &l.over[j]
		}
	}
	return nil
}

// meant returns the entries that one with its constraint in the field "version"
// was meant for, as in files of the oldest generation.
func (l *linter) meant(s imagevector.Source) []imagevector.Source {
	if s.Version == nil || s.RuntimeVersion != nil || s.TargetVersion != nil {
		return nil
	}
	wanted, err := imagevector.ParseConstraint(*s.Version)
	if err != nil {
		return nil
	}
	var found []imagevector.Source
	for _, b := range named(l.base, s.Name, -1) {
		for _, text := range []*string{b.RuntimeVersion, b.TargetVersion} {
			if text == nil {
				continue
			}
			if admitted, err := imagevector.ParseConstraint(*text); err == nil && admitted.Equal(wanted) {
				found = append(found, b)
				break
			}
		}
	}
	return found
}

// isFor tells whether an entry is for an architecture.
func isFor(s imagevector.Source, architecture string) bool {
	return slices.Contains(architecturesOf(s), architecture)
}

func architecturesOf(s imagevector.Source) []string {
	if s.Architectures == nil {
		return []string{"amd64", "arm64"}
	}
	return s.Architectures
}

// unknownName says that nothing looks a name up.
func (l *linter) unknownName(name string) []string {
	var names []string
	for _, s := range l.base {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	why := fmt.Sprintf("%s has no image of this name, so nothing looks it up", l.config.VectorFile)
	if near := nearest.To(name, names); near != "" {
		why += fmt.Sprintf("; did you mean %q?", near)
	}
	return []string{why}
}

// fix adds what to write instead of an entry: one with the key of another, so that
// it is merged into that.
func (l *linter) fix(e *Entry, other imagevector.Source) {
	s := e.Source
	f := imagevector.Source{
		Name: s.Name, RuntimeVersion: other.RuntimeVersion, TargetVersion: other.TargetVersion, Architectures: other.Architectures,
		Ref: s.Ref, Repository: s.Repository, Tag: s.Tag, Version: s.Version,
	}
	if f.Version != nil && imagevector.GenerationOf([]imagevector.Source{{Version: f.Version}}) == imagevector.Oldest {
		f.Version = nil // was meant as the constraint
	}
	if merged := imagevector.Merge([]imagevector.Source{other}, []imagevector.Source{f})[0]; merged.Reference() == other.Reference() {
		e.Reasons = append(e.Reasons, fmt.Sprintf("merged into %v, it would say nothing that is not said there already", other.Position))
		return
	}
	e.Fix = append(e.Fix, f.ToGeneration(l.generation))
}
