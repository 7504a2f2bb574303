package imagevector

import (
	"fmt"

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
	runtime, target, arch                string
	runtimeGiven, targetGiven, archGiven bool
}

func newQuery(opts []FindOption) query {
	var q query
	for _, o := range opts {
		switch o.kind {
		case runtimeVersion:
			q.runtime, q.runtimeGiven = o.value, true
		case targetVersion:
			q.target, q.targetGiven = o.value, true
		case architecture:
			q.arch, q.archGiven = o.value, true
		}
	}
	return q
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
	if q.runtimeGiven {
		s += "runtime version " + q.runtime + " "
	}
	if q.targetGiven {
		s += "target version " + q.target + " "
	}
	if q.archGiven {
		s += "architecture " + q.arch
	}
	return s
}

// A NotFoundError is the error of a look-up for which there is no image.
type NotFoundError struct {
	Name  string
	query query
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("could not find image %q opts %s", e.Name, e.query.describe())
}

// Find returns the image that is chosen for a name: of the entries that match,
// the one with the highest score, the first of several. The error is a
// [NotFoundError], or says what is wrong with a version or a constraint.
func (v *Vector) Find(name string, opts ...FindOption) (Image, error) {
	q := newQuery(opts)
	if !v.config.compatible {
		if err := q.check(); err != nil {
			return Image{}, err
		}
	}
	best, err := v.choose(name, &q)
	if err != nil {
		return Image{}, err
	}
	if best == nil {
		return Image{}, &NotFoundError{Name: name, query: q}
	}
	if q.targetGiven && best.source.Tag == nil && best.source.Ref == nil {
		target := q.target
		return best.source.ToImage(&target), nil
	}
	return best.source.ToImage(nil), nil
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

// check refuses what compatible reading lets pass where no entry has a
// constraint to compare it with.
func (q *query) check() error {
	if q.runtimeGiven {
		if _, err := span.Parse(q.runtime); err != nil {
			return fmt.Errorf("parsing runtime version %q: %w", q.runtime, err)
		}
	}
	if q.targetGiven {
		if _, err := span.Parse(q.target); err != nil {
			return fmt.Errorf("parsing target version %q: %w", q.target, err)
		}
	}
	if q.archGiven && bit(q.arch) == 0 {
		return fmt.Errorf("looking for architecture %q: known are %s and %s", q.arch, amd64, arm64)
	}
	return nil
}

// choose returns the entry that is chosen, nil if none matches.
func (v *Vector) choose(name string, q *query) (*entry, error) {
	var (
		runtime, target demand
		best            *entry
		bestScore       int8
		arch            = q.wanted()
		group           = v.byName[name]
	)
	runtime.text, runtime.given = q.runtime, q.runtimeGiven
	target.text, target.given = q.target, q.targetGiven
	for i := range group {
		e := &group[i]
		score := e.architectures.score
		if e.runtime.given && runtime.given {
			met, err := runtime.meets(&e.runtime)
			if err != nil {
				return nil, err
			}
			if !met {
				continue
			}
			score += e.runtime.score
		}
		if e.target.given && target.given {
			met, err := target.meets(&e.target)
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

// demand is a version looked up, parsed when the first constraint asks for it:
// before that, nobody knows whether it is one.
type demand struct {
	text          string
	version       span.Version
	given, parsed bool
}

func (d *demand) meets(c *constraint) (bool, error) {
	if c.err != nil {
		return false, c.err
	}
	if !d.parsed {
		v, err := span.Parse(d.text)
		if err != nil {
			return false, err
		}
		d.version, d.parsed = v, true
	}
	return c.set.Contains(d.version), nil
}
