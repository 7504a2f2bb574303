package imagevector

import (
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// A FindOption says for what an image is looked up.
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

// RuntimeVersion is the Kubernetes version that the image will run on.
func RuntimeVersion(version string) FindOption { return FindOption{runtimeVersion, version} }

// TargetVersion is the Kubernetes version that the image will work for.
func TargetVersion(version string) FindOption { return FindOption{targetVersion, version} }

// Architecture is that of the machine; amd64 if it is not given.
func Architecture(name string) FindOption { return FindOption{architecture, name} }

// query is what is looked up. A version that is not given meets every constraint.
type query struct {
	runtime, target demand
	arch            string
	archGiven       bool
}

// demand is a version looked up, parsed when the first constraint asks for it:
// before that, nobody knows whether it is one.
type demand struct {
	text          string
	version       span.Version
	given, parsed bool
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

// wanted returns the architecture looked for.
func (q *query) wanted() string {
	if q.archGiven {
		return q.arch
	}
	return amd64
}

// describe writes the query as Gardener does, blank at the end included.
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

// A NotFoundError is the error of a look-up for which there is no image. Its text
// is Gardener's.
type NotFoundError struct {
	Name   string
	looked string
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("could not find image %q opts %s", e.Name, e.looked)
}

// Find returns the image that is chosen for a name: of the entries that match,
// the one with the highest score, the first of several; see [Candidate] for how
// they score. The error is a [*NotFoundError], or says what is wrong with a
// version or a constraint. A version that decides nothing is not looked at.
func (v *Vector) Find(name string, opts ...FindOption) (Image, error) {
	var q query
	q.apply(opts)
	best, err := v.choose(name, &q)
	switch {
	case err != nil:
		return Image{}, v.failed(name, &q, err)
	case best == nil:
		return Image{}, &NotFoundError{Name: name, looked: q.describe()}
	case best.image.Tag != nil || best.image.Ref != nil || !q.target.given:
		return best.image, nil
	}
	// The version becomes the tag.
	tag, err := v.tags.of(&q.target, v.config.compatible)
	if err != nil {
		return Image{}, v.failed(name, &q, err)
	}
	image := best.image
	if image.Tag = tag; image.Version == nil {
		image.Version = tag
	}
	return image, nil
}

// failed says what was looked for; compatible reading leaves that out.
func (v *Vector) failed(name string, q *query, err error) error {
	if v.config.compatible {
		return err
	}
	return fmt.Errorf("finding image %q for %s: %w", name, strings.TrimSpace(q.describe()), err)
}

// FindAll returns the images of several names. The error is that of the first
// name for which there is none.
func (v *Vector) FindAll(names []string, opts ...FindOption) (map[string]Image, error) {
	images := make(map[string]Image, len(names))
	for _, name := range names {
		image, err := v.Find(name, opts...)
		if err != nil {
			return nil, err
		}
		images[name] = image
	}
	return images, nil
}

// choose returns the entry that is chosen, nil if none matches.
func (v *Vector) choose(name string, q *query) (*entry, error) {
	if q.archGiven && bit(q.arch) == 0 && !v.config.compatible {
		return nil, fmt.Errorf("unknown architecture %q: known are %s and %s", q.arch, amd64, arm64)
	}
	group := v.byName[name]
	if len(group) == 1 && !group[0].runtime.given && !group[0].target.given {
		// Most images have one entry for all versions.
		if group[0].architectures.has(q.wanted()) {
			return &group[0], nil
		}
		return nil, nil
	}
	var (
		best      *entry
		bestScore int8
		arch      = q.wanted()
	)
	for i := range group {
		e := &group[i]
		score := e.architectures.score
		if e.runtime.given && q.runtime.given {
			met, err := q.runtime.meets(&e.runtime)
			if err != nil {
				return nil, err
			}
			if !met {
				continue
			}
			score += e.runtime.score
		}
		if e.target.given && q.target.given {
			met, err := q.target.meets(&e.target)
			if err != nil {
				return nil, err
			}
			if !met {
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

func (d *demand) meets(c *constraint) (bool, error) {
	if c.err != nil {
		return false, c.err
	}
	if !d.parsed {
		if err := d.parse(); err != nil {
			return false, err
		}
	}
	return c.set.Contains(d.version), nil
}

func (d *demand) parse() (err error) {
	d.version, err = span.Parse(d.text)
	d.parsed = err == nil
	return err
}
