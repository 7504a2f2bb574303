package imagevector

import (
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// A FindOption is a parameter of a lookup.
type FindOption struct {
	kind  findKind
	value string
}

type findKind byte

const (
	runtimeVersion findKind = iota + 1
	targetVersion
	architecture
)

// RuntimeVersion sets the version of the Kubernetes cluster that the image runs on.
func RuntimeVersion(version string) FindOption { return FindOption{runtimeVersion, version} }

// TargetVersion sets the version of the Kubernetes cluster that the image works
// for.
func TargetVersion(version string) FindOption { return FindOption{targetVersion, version} }

// Architecture sets the architecture of the machine. The default is amd64.
func Architecture(name string) FindOption { return FindOption{architecture, name} }

// query has the parameters of a lookup. A version that is not given satisfies every
// constraint.
type query struct {
	runtime, target version
	arch            string
	archGiven       bool
}

// version is a version of a lookup. It is parsed when the first constraint needs it,
// because an invalid version is an error only then.
type version struct {
	text         string
	parsed       span.Version
	given, valid bool // valid after a successful parse
}

func (q *query) apply(opts []FindOption) {
	for i := range opts {
		switch o := &opts[i]; o.kind {
		case runtimeVersion:
			q.runtime.text, q.runtime.given = o.value, true
		case targetVersion:
			q.target.text, q.target.given = o.value, true
		case architecture:
			q.arch, q.archGiven = o.value, true
		}
	}
}

// architecture returns the architecture of the lookup.
func (q *query) architecture() string {
	if q.archGiven {
		return q.arch
	}
	return amd64
}

// describe formats the query as Gardener does, including the space at the end.
func (q *query) describe() string {
	var s string
	if q.runtime.given {
		s += "runtime version " + q.runtime.text + " "
	}
	if q.target.given {
		s += "target version " + q.target.text + " "
	}
	if q.archGiven {
		s += "architecture " + q.arch
	}
	return s
}

// A NotFoundError reports a lookup that matches no entry. Its text is that of
// Gardener.
type NotFoundError struct {
	Name  string
	query string
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("could not find image %q opts %s", e.Name, e.query)
}

// Find returns the image of a name: that of the matching entry with the highest
// score, or of the first one of several; see [Candidate] for the score. The error
// is a [*NotFoundError] or reports an invalid version or constraint. A version that
// no constraint needs is not validated.
func (v *Vector) Find(name string, opts ...FindOption) (Image, error) {
	var q query
	q.apply(opts)
	best, err := v.choose(name, &q)
	switch {
	case err != nil:
		return Image{}, v.addQuery(name, &q, err)
	case best == nil:
		return Image{}, &NotFoundError{Name: name, query: q.describe()}
	case best.image.Tag != nil || best.image.Ref != nil || !q.target.given:
		return best.image, nil
	}
	// The version becomes the tag.
	tag, err := v.tags.tag(&q.target, v.config.compatible)
	if err != nil {
		return Image{}, v.addQuery(name, &q, err)
	}
	image := best.image
	if image.Tag = tag; image.Version == nil {
		image.Version = tag
	}
	return image, nil
}

// addQuery adds the query to an error, except in compatible reading.
func (v *Vector) addQuery(name string, q *query, err error) error {
	if v.config.compatible {
		return err
	}
	return fmt.Errorf("finding image %q for %s: %w", name, strings.TrimSpace(q.describe()), err)
}

// choose returns the chosen entry, nil if none matches.
func (v *Vector) choose(name string, q *query) (*entry, error) {
	if q.archGiven && bit(q.arch) == 0 && !v.config.compatible {
		return nil, fmt.Errorf("unknown architecture %q: want %s or %s", q.arch, amd64, arm64)
	}
	group := v.byName[name]
	if len(group) == 1 && !group[0].runtime.given && !group[0].target.given {
		// Most images have one entry for all versions.
		if group[0].architectures.has(q.architecture()) {
			return &group[0], nil
		}
		return nil, nil
	}
	var (
		best      *entry
		bestScore int8
		arch      = q.architecture()
	)
	for i := range group {
		e := &group[i]
		score := e.architectures.score
		if e.runtime.given && q.runtime.given {
			ok, err := q.runtime.satisfies(&e.runtime)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			score += e.runtime.score
		}
		if e.target.given && q.target.given {
			ok, err := q.target.satisfies(&e.target)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			score += e.target.score
		}
		if (best == nil || score > bestScore) && e.architectures.has(arch) {
			best, bestScore = e, score
		}
	}
	return best, nil
}

func (v *version) satisfies(c *constraint) (bool, error) {
	if c.err != nil {
		return false, c.err
	}
	if err := v.parse(); err != nil {
		return false, err
	}
	return c.set.Contains(v.parsed), nil
}

// parse parses the version unless that is done.
func (v *version) parse() (err error) {
	if !v.valid {
		v.parsed, err = span.Parse(v.text)
		v.valid = err == nil
	}
	return err
}
