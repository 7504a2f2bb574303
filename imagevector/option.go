package imagevector

import "time"

// An Option configures how a vector is read.
type Option func(*config)

type config struct {
	compatible    bool
	overwrite     bool
	generation    Generation
	file          string
	within        Versions
	architectures []string
	now           func() time.Time // for the validity of certificates
}

func configure(opts []Option) config {
	c := config{now: time.Now}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// Compatible selects compatible reading: the behavior of Gardener, including error
// texts. The default is strict reading, which rejects what Gardener silently accepts.
func Compatible() Option { return func(c *config) { c.compatible = true } }

// AsOverwrite reads the file as an overwrite, to be merged into a vector. Strict
// reading then rejects entries with the same key, and does not check which entries
// are chosen, because that depends on the vector.
func AsOverwrite() Option { return func(c *config) { c.overwrite = true } }

// WithFile sets the name of the file in positions and errors.
func WithFile(name string) Option { return func(c *config) { c.file = name } }

// WithGeneration sets the generation of the file. The default is [Auto] in strict
// reading and [Current] in compatible reading.
func WithGeneration(g Generation) Option { return func(c *config) { c.generation = g } }

// WithVersions makes strict reading check that for each of these Kubernetes
// versions, as both runtime and target version, and each of the architectures
// (default amd64), every name has an image, and no two entries have the highest
// score.
func WithVersions(v Versions, architectures ...string) Option {
	return func(c *config) { c.within, c.architectures = v, architectures }
}

// A Generation is the meaning of the field "version" of entries.
type Generation int

const (
	// Auto detects the generation: Oldest if a file has no runtimeVersion and
	// targetVersion, and a "version" that is a constraint, such as ">= 1.21" or
	// "1.20.x"; otherwise Current. It is the default of strict reading.
	Auto Generation = iota
	// Current files have the version of the image in "version", which selection
	// ignores. It is the default of compatible reading, as Gardener supports no other.
	Current
	// Oldest files have a constraint on the Kubernetes version in "version". It is
	// read as runtimeVersion.
	Oldest
)

// GenerationOf detects the common generation of files as [Auto] does. The
// generation of an overwrite is that of the overwrite and its vector together.
func GenerationOf(files ...[]Source) Generation {
	oldest := false
	for _, sources := range files {
		for _, s := range sources {
			if s.RuntimeVersion != nil || s.TargetVersion != nil {
				return Current
			}
			oldest = oldest || s.Version != nil && looksLikeConstraint(*s.Version)
		}
	}
	if oldest {
		return Oldest
	}
	return Current
}

// upgrade moves the constraint of an entry of the oldest generation to
// RuntimeVersion.
func (s *Source) upgrade() {
	if s.RuntimeVersion == nil && s.TargetVersion == nil && s.Version != nil {
		s.RuntimeVersion, s.Version = s.Version, nil
	}
}

// ToGeneration returns the entry with the fields of a file of a generation. Entries
// that were read have their constraints in RuntimeVersion and TargetVersion, for
// every generation of the file.
func (s Source) ToGeneration(g Generation) Source {
	if g == Oldest && s.TargetVersion == nil {
		s.RuntimeVersion, s.Version = nil, s.RuntimeVersion
	}
	return s
}
