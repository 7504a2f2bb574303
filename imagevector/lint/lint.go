// Package lint tells which entries of an overwrite take effect, and why others
// do not.
//
// An overwrite replaces an entry only if its name, its constraints and its
// architectures are those of the entry letter by letter. Otherwise it is added,
// competes with the entry by score, mostly loses, and the public image is pulled
// all the same, without a word.
package lint

import (
	"errors"
	"fmt"

	"github.com/hyperkube/hyperkube/imagevector"
)

// Config is what to lint.
type Config struct {
	// The text of the vector that ships and of the overwrite of it, YAML or JSON,
	// and the names that positions give these files.
	Vector, Overwrite         []byte
	VectorFile, OverwriteFile string
	// Kubernetes are the versions that matter; if empty, all there can be.
	Kubernetes imagevector.Versions
	// Architectures that matter, as "amd64"; if empty, amd64 and arm64.
	Architectures []string
	// Generation of both files; if Auto, found out of both together.
	Generation imagevector.Generation
	// Private are the prefixes of one's own registries, such as
	// "registry.example.com/mirror". If there are any, everything else is public;
	// if not, those registries are for which [IsPublic] is true.
	Private []string
}

// linter is a run.
type linter struct {
	config     Config
	base, over []imagevector.Source
	generation imagevector.Generation
}

// Run finds out what each entry of an overwrite does, by leaving it out and
// comparing what is chosen, and what is pulled from public registries with all of
// them in force. Its error says that a file cannot be read as Gardener reads it,
// and has [imagevector.Problems] in it if that is for what the file says.
func Run(c Config) (*Report, error) {
	if len(c.Architectures) == 0 {
		c.Architectures = []string{"amd64", "arm64"}
	}
	if c.Kubernetes.Empty() {
		c.Kubernetes = imagevector.AllVersions()
	}
	l := linter{config: c, generation: c.Generation}
	if err := l.read(); err != nil {
		return nil, err
	}
	r := &Report{Generation: l.generation}
	var err error
	if r.VectorProblems, err = problems(c.Vector, c.VectorFile, imagevector.WithGeneration(l.generation)); err != nil {
		return nil, err
	}
	if r.OverwriteProblems, err = problems(c.Overwrite, c.OverwriteFile, imagevector.WithGeneration(l.generation), imagevector.AsOverwrite()); err != nil {
		return nil, err
	}
	for i := range l.over {
		e, err := l.entry(i)
		if err != nil {
			return nil, err
		}
		r.Entries = append(r.Entries, e)
	}
	r.Public, err = l.public()
	return r, err
}

// read reads both files as Gardener does, but for the generation, which they have
// in common.
func (l *linter) read() error {
	read := func(g imagevector.Generation) (base, over []imagevector.Source, err error) {
		if base, err = sources(l.config.Vector, "image vector", l.config.VectorFile, imagevector.WithGeneration(g)); err == nil {
			over, err = sources(l.config.Overwrite, "overwrite", l.config.OverwriteFile, imagevector.WithGeneration(g), imagevector.AsOverwrite())
		}
		return base, over, err
	}
	var err error
	if l.base, l.over, err = read(imagevector.Current); err != nil {
		return err
	}
	if l.generation == imagevector.Auto {
		l.generation = imagevector.GenerationOf(l.base, l.over)
	}
	if l.generation == imagevector.Oldest {
		l.base, l.over, err = read(imagevector.Oldest)
	}
	// Entries of the vector with one key are one entry.
	l.base = imagevector.Merge(l.base)
	return err
}

// sources reads a file as Gardener does. What Gardener refuses, strict reading
// refuses too, and says where.
func sources(data []byte, what, file string, opts ...imagevector.Option) ([]imagevector.Source, error) {
	v, err := imagevector.Parse(data, append(opts, imagevector.Compatible(), imagevector.WithFile(file))...)
	if err == nil {
		return v.Sources(), nil
	}
	if found, _ := problems(data, file, opts...); len(found) > 0 {
		err = found
	}
	return nil, fmt.Errorf("reading %s %q as Gardener does: %w", what, file, err)
}

// problems returns what strict reading finds.
func problems(data []byte, file string, opts ...imagevector.Option) (imagevector.Problems, error) {
	_, err := imagevector.Parse(data, append(opts, imagevector.WithFile(file))...)
	var found imagevector.Problems
	if err == nil || errors.As(err, &found) {
		return found, nil
	}
	return nil, fmt.Errorf("reading %q: %w", file, err)
}

// named returns the entries of a name, but for the one at an index.
func named(sources []imagevector.Source, name string, but int) []imagevector.Source {
	var out []imagevector.Source
	for i, s := range sources {
		if s.Name == name && i != but {
			out = append(out, s)
		}
	}
	return out
}

// entry finds out what entry i of the overwrite does: whatever would be different
// without it.
func (l *linter) entry(i int) (Entry, error) {
	s := l.over[i]
	e := Entry{Index: i, Source: s, Verdict: Ineffective}
	base := named(l.base, s.Name, -1)
	if len(base) == 0 {
		e.Reasons = l.unknownName(s.Name)
		return e, nil
	}
	without, err := imagevector.New(imagevector.Merge(base, named(l.over, s.Name, i)), imagevector.Compatible())
	if err != nil {
		return e, err
	}
	with, err := imagevector.New(imagevector.Merge(base, named(l.over, s.Name, -1)), imagevector.Compatible())
	if err != nil {
		return e, err
	}
	if e.Effects, err = l.effects(without, with, l.config.Kubernetes, l.config.Architectures); err != nil {
		return e, err
	}
	if !l.matters(s) {
		elsewhere, err := l.effects(without, with, imagevector.AllVersions(), architecturesOf(s))
		if err != nil {
			return e, err
		}
		if len(elsewhere) > 0 {
			e.Verdict, e.Effects = Elsewhere, elsewhere
			return e, nil
		}
	}
	l.judge(&e, with)
	return e, nil
}

// effects returns where two vectors choose differently, in the plainest shape of
// look-ups in which they do.
func (l *linter) effects(without, with *imagevector.Vector, within imagevector.Versions, architectures []string) (effects []Effect, err error) {
	for _, shape := range imagevector.LookupModes() {
		differences, err := imagevector.Compare(without, with, within, architectures, shape)
		if err != nil {
			return nil, err
		}
		for _, d := range differences {
			effects = addEffect(effects, Effect{Mode: shape, Architecture: d.Architecture, Versions: versionsOf(d)})
		}
		if len(effects) > 0 {
			break
		}
	}
	return effects, nil
}

// versionsOf returns the versions that a difference is about.
func versionsOf(d imagevector.Difference) imagevector.Versions {
	if d.Runtime.Empty() {
		return d.Target
	}
	return d.Runtime
}

func addEffect(effects []Effect, e Effect) []Effect {
	for i := range effects {
		if effects[i].Architecture == e.Architecture && effects[i].Mode == e.Mode {
			effects[i].Versions = effects[i].Versions.Union(e.Versions)
			return effects
		}
	}
	return append(effects, e)
}
