package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/imagevector/internal/nearest"
)

// explain sets the verdict of an entry and its reasons. The vector has the overwrite
// merged.
func (l *linter) explain(e *Entry, with *imagevector.Vector) {
	s := e.Source
	merged := with.Sources()
	own := slices.IndexFunc(merged, func(m imagevector.Source) bool { return imagevector.SameKey(m, s) })
	into := slices.IndexFunc(l.base, func(b imagevector.Source) bool { return imagevector.SameKey(b, s) })
	matches := l.matching(s)
	e.Losses = l.losses(with, merged, own, matches)
	switch later := l.replacedBy(e.Index); {
	case len(e.Effects) > 0 && (into >= 0 || len(e.Losses) == 0):
		// A merged entry is chosen for the same lookups as the entry it replaces.
		e.Verdict, e.Losses = Effective, nil
		return
	case len(e.Effects) > 0:
		e.Verdict = Partial
		e.Reasons = append(e.Reasons, added)
	case later != nil:
		e.Reasons = append(e.Reasons, fmt.Sprintf("the entry at %v has the same name, constraints and architectures, and replaces this one", later.Position))
	case !l.inUse(s):
		e.Reasons = append(e.Reasons, fmt.Sprintf("it does not match Kubernetes %v on %s: it is for %s", l.config.Kubernetes, strings.Join(l.config.Architectures, " or "), conditions(s)))
	case into >= 0 && len(e.Losses) == 0:
		e.Reasons = append(e.Reasons, fmt.Sprintf("it does not change the entry at %v", l.base[into].Position))
	case into >= 0:
		e.Reasons = append(e.Reasons, fmt.Sprintf("it is merged into the entry at %v, which is not chosen", l.base[into].Position))
	default:
		e.Reasons = append(e.Reasons, added)
	}
	intended := l.intended(s)
	for i, loss := range e.Losses {
		e.Reasons = append(e.Reasons, comparison(with, own, loss))
		if into < 0 && !slices.ContainsFunc(e.Losses[:i], func(before Loss) bool { return before.index == loss.index }) {
			e.Reasons = append(e.Reasons, differences(s, loss.To)...)
			if len(intended) == 0 {
				l.fix(e, loss.To)
			}
		}
	}
	for _, entry := range intended {
		e.Reasons = append(e.Reasons, fmt.Sprintf("version %q is not a constraint here, but a constraint of the entry at %v", *s.Version, entry.Position))
		l.fix(e, entry)
	}
}

const added = "it is added instead of merged: no entry of this name has the same text of constraints and architectures"

// matching returns the versions in use that satisfy the constraints of an entry.
func (l *linter) matching(s imagevector.Source) imagevector.Versions {
	matches := l.config.Kubernetes
	for _, text := range []*string{s.RuntimeVersion, s.TargetVersion} {
		if text != nil {
			satisfying, _ := imagevector.ParseConstraint(*text) // validated before
			matches = matches.Intersect(satisfying)
		}
	}
	return matches
}

// inUse reports whether an entry matches versions and architectures in use.
func (l *linter) inUse(s imagevector.Source) bool {
	return !l.matching(s).Empty() && slices.ContainsFunc(l.config.Architectures, func(a string) bool { return slices.Contains(architecturesOf(s), a) })
}

// losses returns the lookups, with the same runtime and target version, that an entry
// matches, but that choose an entry which the overwrite does not change.
func (l *linter) losses(with *imagevector.Vector, merged []imagevector.Source, own int, matches imagevector.Versions) []Loss {
	s := merged[own]
	var found []Loss
	for _, architecture := range l.config.Architectures {
		if !slices.Contains(architecturesOf(s), architecture) {
			continue
		}
		for _, c := range with.Choices(s.Name, architecture, matches) {
			if c.Entry < 0 || c.Entry == own || l.changes(merged[c.Entry]) {
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

// changes reports whether the overwrite has an entry with the key of this one.
func (l *linter) changes(entry imagevector.Source) bool {
	return slices.ContainsFunc(l.over, func(o imagevector.Source) bool { return imagevector.SameKey(o, entry) })
}

// replacedBy returns the last entry of the overwrite with the key of entry i, nil if
// that is entry i.
func (l *linter) replacedBy(i int) *imagevector.Source {
	for j := len(l.over) - 1; j > i; j-- {
		if imagevector.SameKey(l.over[i], l.over[j]) {
			return &l.over[j]
		}
	}
	return nil
}

// intended returns the entries of the vector whose constraint is the "version" of an
// entry, which is written as in a file of the oldest generation.
func (l *linter) intended(s imagevector.Source) []imagevector.Source {
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
			if satisfying, err := imagevector.ParseConstraint(*text); err == nil && satisfying.Equal(wanted) {
				found = append(found, b)
				break
			}
		}
	}
	return found
}

func architecturesOf(s imagevector.Source) []string {
	if s.Architectures == nil {
		return []string{"amd64", "arm64"}
	}
	return s.Architectures
}

// unknownName returns the reason for an entry with a name that the vector lacks.
func (l *linter) unknownName(name string) []string {
	var names []string
	for _, s := range l.base {
		names = append(names, s.Name)
	}
	reason := fmt.Sprintf("%s has no image of this name, so Gardener does not look it up", l.config.VectorFile)
	if near := nearest.To(name, names); near != "" {
		reason += fmt.Sprintf("; did you mean %q?", near)
	}
	return []string{reason}
}

// fix adds an entry to write instead: one with the key of another entry, so that it
// is merged into that one.
func (l *linter) fix(e *Entry, other imagevector.Source) {
	s := e.Source
	f := imagevector.Source{
		Name: s.Name, RuntimeVersion: other.RuntimeVersion, TargetVersion: other.TargetVersion, Architectures: other.Architectures,
		Ref: s.Ref, Repository: s.Repository, Tag: s.Tag, Version: s.Version,
	}
	if f.Version != nil && imagevector.GenerationOf([]imagevector.Source{{Version: f.Version}}) == imagevector.Oldest {
		f.Version = nil // it was intended as the constraint
	}
	if merged := imagevector.Merge([]imagevector.Source{other}, []imagevector.Source{f})[0]; merged.Reference() == other.Reference() {
		e.Reasons = append(e.Reasons, fmt.Sprintf("merged, it would not change the entry at %v", other.Position))
		return
	}
	e.Fix = append(e.Fix, f.ToGeneration(l.generation))
}
