package versions

import "github.com/Masterminds/semver/v3"

// Compression is the compression of layers.
type Compression string

// The compressions.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

// Flavor is a kind of image, built for every release that matches Versions.
type Flavor struct {
	Name       string
	Repository string // below the registry
	Tag        string // template with {version}, and {iteration} or {-iteration}
	// ContentTag adds a tag that is a hash of the image's files. An image is not
	// pushed if the registry has this tag.
	ContentTag bool
	Versions   *semver.Constraints
	// Platforms are those of the index, in the order of its manifests.
	Platforms   []Platform
	Compression Compression
	// Packages is the set of Debian packages below the files, "" for none.
	Packages string
	Files    []FlavorFile // in the order of the layers
	Symlinks []Symlinks
	// Pins is the path of a file with the pins of the image's files, in the format of
	// the lock; "" for none. Its layer is the uppermost one.
	Pins       string
	Entrypoint []string
	Cmd        []string
	Env        []Pair // by key
	Labels     []Pair // by key; values are templates like Tag, also with {source:PATH}
	User       string
	WorkingDir string
	Bases      []Base // exactly one matches each release; scratch for all if empty
}

// FlavorFile is one file of an image.
type FlavorFile struct {
	Path     string              // absolute and clean
	Mode     int64               // permission bits
	Versions *semver.Constraints // the versions that have it; nil: all
	// Sources are alternatives. A revision uses the first one that matches. A member
	// of an archive only matches if the lock has it for all platforms of the flavor,
	// because upstream publishes no checksums of archives.
	Sources []SourceChoice
}

// SourceChoice is a file of a source, for some revisions.
type SourceChoice struct {
	Source, File string
	Versions     *semver.Constraints // nil: all
	// MinTags limits the choice to revisions from these on; see [SourceChoice.matches].
	MinTags []Revision
}

// Symlinks are the symbolic links of one layer.
type Symlinks struct {
	Name     string              // unique in the flavor; "" for a single group
	Versions *semver.Constraints // nil: all
	Links    []Symlink           // by path
}

// Symlink is a symbolic link in an image.
type Symlink struct {
	Path   string `json:"path"`
	Target string `json:"target"`
}

// Pair is a key and its value.
type Pair struct{ Key, Value string }
