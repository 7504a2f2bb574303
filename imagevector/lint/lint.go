// Package lint reports which entries of an overwrite are effective, and why others
// are not.
//
// An entry of an overwrite is merged into an entry of the vector only if name,
// constraints and architectures are equal as text. Otherwise it is added, and mostly
// has a lower score than the entry that it should replace. The public image is then
// pulled without any warning.
package lint

import (
	"errors"
	"fmt"

	"github.com/hyperkube/hyperkube/imagevector"
)

// Config configures [Run].
type Config struct {
	// Vector and Overwrite are the content of the two files, YAML or JSON.
	Vector, Overwrite []byte
	// VectorFile and OverwriteFile are the names of the files in positions.
	VectorFile, OverwriteFile string
	// Kubernetes are the versions in use; all if empty.
	Kubernetes imagevector.Versions
	// Architectures are those in use, such as "amd64"; amd64 and arm64 if empty.
	Architectures []string
	// Generation is that of both files; detected from both if Auto.
	Generation imagevector.Generation
	// Private are prefixes of private registries, such as
	// "registry.example.com/mirror". All others are then public. If empty, the
	// well-known registries are public.
	Private []string
}

// linter is the state of a run.
type linter struct {
	config     Config
	base, over []imagevector.Source
	generation imagevector.Generation
}

// Run reports the effect of each entry of an overwrite, by comparing the chosen images
// with and without the entry, and the images that are pulled from public registries
// with the overwrite. The error reports a file that Gardener cannot read. It wraps
// [imagevector.Problems] if the content is invalid.
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

// read reads both files in compatible reading, with a common generation.
func (l *linter) read() error {
	read := func(g imagevector.Generation) (err error) {
		if l.base, err = sources(l.config.Vector, "image vector", l.config.VectorFile, imagevector.WithGeneration(g)); err == nil {
			l.over, err = sources(l.config.Overwrite, "overwrite", l.config.OverwriteFile, imagevector.WithGeneration(g), imagevector.AsOverwrite())
		}
		return err
	}
	err := read(imagevector.Current)
	if err != nil {
		return err
	}
	if l.generation == imagevector.Auto {
		l.generation = imagevector.GenerationOf(l.base, l.over)
	}
	if l.generation == imagevector.Oldest {
		err = read(imagevector.Oldest)
	}
	// Entries of the vector with the same key are merged.
	l.base = imagevector.Merge(l.base)
	return err
}

// sources reads a file in compatible reading. On error, it returns the problems of
// strict reading, which have positions.
func sources(data []byte, kind, file string, opts ...imagevector.Option) ([]imagevector.Source, error) {
	v, err := imagevector.Parse(data, append(opts, imagevector.Compatible(), imagevector.WithFile(file))...)
	if err == nil {
		return v.Sources(), nil
	}
	if found, _ := problems(data, file, opts...); len(found) > 0 {
		err = found
	}
	return nil, fmt.Errorf("reading %s %q as Gardener does: %w", kind, file, err)
}

// problems returns the problems of strict reading.
func problems(data []byte, file string, opts ...imagevector.Option) (imagevector.Problems, error) {
	_, err := imagevector.Parse(data, append(opts, imagevector.WithFile(file))...)
	var found imagevector.Problems
	if err == nil || errors.As(err, &found) {
		return found, nil
	}
	return nil, fmt.Errorf("reading %q: %w", file, err)
}

// vectorOf returns the vector of merged entries, which were validated when read.
func vectorOf(lists ...[]imagevector.Source) *imagevector.Vector {
	v, _ := imagevector.New(imagevector.Merge(lists...), imagevector.Compatible()) // never an error
	return v
}

// named returns the entries of a name, except the one at an index.
func named(sources []imagevector.Source, name string, except int) []imagevector.Source {
	var out []imagevector.Source
	for i, s := range sources {
		if s.Name == name && i != except {
			out = append(out, s)
		}
	}
	return out
}

// entry reports the effect of entry i of the overwrite: the difference to the
// overwrite without it.
func (l *linter) entry(i int) (Entry, error) {
	s := l.over[i]
	e := Entry{Index: i, Source: s, Verdict: Ineffective}
	base := named(l.base, s.Name, -1)
	if len(base) == 0 {
		e.Reasons = l.unknownName(s.Name)
		return e, nil
	}
	without, with := vectorOf(base, named(l.over, s.Name, i)), vectorOf(base, named(l.over, s.Name, -1))
	var err error
	if e.Effects, err = l.effects(without, with, l.config.Kubernetes, l.config.Architectures); err != nil {
		return e, err
	}
	if !l.inUse(s) {
		elsewhere, err := l.effects(without, with, imagevector.AllVersions(), architecturesOf(s))
		if err != nil {
			return e, err
		}
		if len(elsewhere) > 0 {
			e.Verdict, e.Effects = Elsewhere, elsewhere
			return e, nil
		}
	}
	l.explain(&e, with)
	return e, nil
}

// effects returns the lookups for which two vectors choose different images, in the
// first lookup mode that has any.
func (l *linter) effects(without, with *imagevector.Vector, within imagevector.Versions, architectures []string) (effects []Effect, err error) {
	for _, mode := range imagevector.LookupModes() {
		differences, err := imagevector.Compare(without, with, within, architectures, mode)
		if err != nil {
			return nil, err
		}
		for _, d := range differences {
			effects = addEffect(effects, Effect{Mode: mode, Architecture: d.Architecture, Versions: versionsOf(d)})
		}
		if len(effects) > 0 {
			break
		}
	}
	return effects, nil
}

// versionsOf returns the versions of a difference.
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
