package imagevector

import "time"

// An Option changes how a vector is read.
type Option func(*config)

type config struct {
	compatible    bool
	overwrite     bool
	generation    Generation
	file          string
	within        Versions
	architectures []string
	now           func() time.Time
}

func configure(opts []Option) config {
	c := config{now: time.Now}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// Compatible reads as Gardener does, quirks and error texts included. Without
// it, reading is strict: what Gardener accepts in silence is an error.
func Compatible() Option { return func(c *config) { c.compatible = true } }

// AsOverwrite says that the file is an overwrite, to be merged into a vector.
// Strict reading then does not ask which of its entries are chosen, which only the
// vector decides, but demands that no two of them have the same key.
func AsOverwrite() Option { return func(c *config) { c.overwrite = true } }

// WithFile names the file in positions and so in errors.
func WithFile(name string) Option { return func(c *config) { c.file = name } }

// WithGeneration says what the field "version" of a file means. Without it,
// strict reading finds out, and compatible reading reads as of Current.
func WithGeneration(g Generation) Option { return func(c *config) { c.generation = g } }

// WithVersions makes strict reading demand that for each of these Kubernetes
// versions (as runtime and target version both) every name of the vector chooses
// exactly one entry: none missing, no two with the same score. The architectures
// are those looked up, amd64 if none is named.
func WithVersions(v Versions, architectures ...string) Option {
	return func(c *config) { c.within, c.architectures = v, architectures }
}

// WithClock gives the time at which certificates must be valid, time.Now without it.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// A Generation tells what the field "version" of an entry means.
type Generation int

const (
	// Auto finds out: a file is of the Oldest generation if it has no
	// runtimeVersion or targetVersion at all and a "version" that can only be
	// meant as a constraint, such as ">= 1.21" or "1.20.x". It is the default of
	// strict reading.
	Auto Generation = iota
	// Current files have the image's own version in "version", for people. It is
	// the default of compatible reading, since Gardener reads no other.
	Current
	// Oldest files have the constraint on the Kubernetes version in "version". It
	// is read as runtimeVersion.
	Oldest
)

// GenerationOf returns the generation that files together are of, found out as
// [Auto] does. An overwrite must be judged along with the vector that it is for.
func GenerationOf(files ...[]Source) Generation {
	meant := false
	for _, sources := range files {
		for _, s := range sources {
			if s.RuntimeVersion != nil || s.TargetVersion != nil {
				return Current
			}
			meant = meant || s.Version != nil && meantAsConstraint(*s.Version)
		}
	}
	if meant {
		return Oldest
	}
	return Current
}

// upgrade moves the constraint of an entry of the oldest generation to where
// it stands today.
func (s *Source) upgrade() {
	if s.RuntimeVersion == nil && s.TargetVersion == nil && s.Version != nil {
		s.RuntimeVersion, s.Version = s.Version, nil
	}
}

// As returns the entry as a file of a generation has it. What was read has its
// constraints in RuntimeVersion and TargetVersion, whatever file it came from.
func (s Source) ToGeneration(g Generation) Source {
	if g == Oldest && s.TargetVersion == nil {
		s.RuntimeVersion, s.Version = nil, s.RuntimeVersion
	}
	return s
}
