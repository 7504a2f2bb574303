package imagevector

import (
	"maps"
	"regexp"
	"slices"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// A Vector is an image vector, compiled for lookups. It is immutable and safe for
// concurrent use.
type Vector struct {
	sources []Source
	byName  map[string][]entry
	ca      *CABundle
	config  config
	tags    *tags
}

// entry is a source, compiled for lookups.
type entry struct {
	index           int
	source          *Source
	image           Image // without a target version
	runtime, target constraint
	architectures   architectures
}

// constraint is the compiled constraint of an entry on a version.
type constraint struct {
	set   span.Set
	err   error
	given bool
	score int8 // if the constraint is met
}

// architectures are those of an entry. The known ones have a bit each. Compatible
// reading allows others, which are compared as text.
type architectures struct {
	known byte
	score int8
	list  []string
}

const (
	amd64 = "amd64"
	arm64 = "arm64"
)

// New returns the vector of sources. They are validated as those of a file, and
// the error is [Problems]. With [Compatible] they are not validated, and an
// invalid constraint is an error of the lookups that evaluate it.
func New(sources []Source, opts ...Option) (*Vector, error) {
	c := configure(opts)
	copies := make([]Source, len(sources))
	for i := range sources {
		copies[i] = sources[i].clone()
	}
	v := compile(copies, nil, c)
	if c.compatible {
		return v, nil
	}
	var problems Problems
	for i := range copies {
		checkSource(&problems, &copies[i], &nodes{}, i)
	}
	v.checkChoices(&problems)
	if err := problems.sorted(); err != nil {
		return nil, err
	}
	return v, nil
}

// compile returns the vector of sources, which it takes over.
func compile(sources []Source, ca *CABundle, c config) *Vector {
	// Most constraints occur many times; each is compiled once.
	sets := map[string]constraint{}
	compiled := func(text *string) constraint {
		if text == nil {
			return constraint{}
		}
		c, ok := sets[*text]
		if !ok {
			c = constraint{given: true, score: 1}
			if exact.MatchString(*text) {
				c.score = 2
			}
			c.set, c.err = span.Constraint(*text)
			sets[*text] = c
		}
		return c
	}
	count := make(map[string]int)
	for i := range sources {
		count[sources[i].Name]++
	}
	byName := make(map[string][]entry, len(count))
	for i := range sources {
		s := &sources[i]
		if byName[s.Name] == nil {
			byName[s.Name] = make([]entry, 0, count[s.Name])
		}
		byName[s.Name] = append(byName[s.Name], entry{
			index: i, source: s, image: s.ToImage(nil),
			runtime: compiled(s.RuntimeVersion), target: compiled(s.TargetVersion),
			architectures: compileArchitectures(s.Architectures),
		})
	}
	return &Vector{sources: sources, byName: byName, ca: ca, config: c, tags: new(tags)}
}

// exact matches the constraints that Gardener scores as those of a single version:
// they begin with "=" or with three numbers, whatever follows.
var exact = regexp.MustCompile(`^(=|v?[0-9]+\.[0-9]+\.[0-9]+)`)

func compileArchitectures(list []string) architectures {
	if list == nil {
		return architectures{known: 3, score: 1}
	}
	a := architectures{list: list, score: 1}
	if len(list) == 1 {
		a.score = 2
	}
	for _, name := range list {
		a.known |= bit(name)
	}
	return a
}

func bit(architecture string) byte {
	switch architecture {
	case amd64:
		return 1
	case arm64:
		return 2
	}
	return 0
}

// has reports whether the entry is for the architecture.
func (a *architectures) has(name string) bool {
	if b := bit(name); b != 0 {
		return a.known&b != 0
	}
	return slices.Contains(a.list, name)
}

// Sources returns copies of the entries, in order.
func (v *Vector) Sources() []Source {
	out := make([]Source, len(v.sources))
	for i := range v.sources {
		out[i] = v.sources[i].clone()
	}
	return out
}

// Len returns the number of entries.
func (v *Vector) Len() int { return len(v.sources) }

// Generation returns the generation of the file that v was read from, [Current]
// or [Oldest]. An overwrite of v must be read with the same generation.
func (v *Vector) Generation() Generation {
	if v.config.generation == Oldest {
		return Oldest
	}
	return Current
}

// Names returns the names of all images, sorted.
func (v *Vector) Names() []string { return slices.Sorted(maps.Keys(v.byName)) }

// CABundle returns the certificates of the vector, or nil.
func (v *Vector) CABundle() *CABundle {
	if v.ca == nil || v.ca.Inline == nil {
		return v.ca
	}
	inline := *v.ca.Inline
	return &CABundle{Inline: &inline}
}
