package versions

import "github.com/Masterminds/semver/v3"

// Compression is how layers are compressed.
type Compression string

// The compressions.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

// Flavor is one kind of image, made for every release that it admits.
type Flavor struct {
	Name       string
	Repository string // below the registry
	Tag        string // template with {version}, and {iteration} or {-iteration}
	// ContentTag adds a tag that is a hash of the image's files: where the
	// registry has it, there is nothing to push.
	ContentTag bool
	Versions   *semver.Constraints
	// Platforms of the index, in the order of its manifests.
	Platforms   []Platform
	Compression Compression
	Files       []FlavorFile // in the order of the layers
	Symlinks    []Symlinks
	Entrypoint  []string
	Cmd         []string
	Env         []Pair // by key
	Labels      []Pair // by key; values are templates like Tag
	User        string
	WorkingDir  string
	Bases       []Base // one for each release; without any, scratch for all
}

// FlavorFile is one file of an image.
type FlavorFile struct {
	Path     string              // absolute and clean
	Mode     int64               // permission bits
	Versions *semver.Constraints // the versions that have it; nil: all
	Sources  []SourceChoice      // the first that admits a revision is taken
}

// SourceChoice is a source's file, for the revisions that it is meant for.
type SourceChoice struct {
	Source, File string
	Versions     *semver.Constraints // nil: all
	// MinTags limits the choice to revisions from these on; see [SourceChoice.admits].
	MinTags []Revision
}

// Symlinks are the symbolic links of one layer.
type Symlinks struct {
	Name     string              // tells the groups of a flavor apart; "" for an only one
	Versions *semver.Constraints // nil: all
	Links    []Symlink           // by path
}

// Symlink is a symbolic link in an image.
type Symlink struct{ Path, Target string }

// Pair is a key and its value.
type Pair struct{ Key, Value string }
