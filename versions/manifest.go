package versions

import "github.com/Masterminds/semver/v3"

// Manifest is versions.yaml, read and valid.
type Manifest struct {
	// Registry is the default registry to push to, with or without a path. It
	// is one that cannot exist, so that nobody pushes to a stranger's by accident.
	Registry string
	Sources  []Source  // by name
	Flavors  []Flavor  // in the order of the file; the first is the default one
	Releases []Release // newest last
}

// SourceKind says how the files of a source come to be.
type SourceKind string

// The kinds of sources.
const (
	// KindRelease is a file that upstream publishes at a URL of its own.
	KindRelease SourceKind = "release"
	// KindArchive is a member of an archive at a URL.
	KindArchive SourceKind = "archive"
	// KindGoBuild is a program built by the Go toolchain alone.
	KindGoBuild SourceKind = "gobuild"
)

// Source is where files come from. Every file of it is pinned by the sha256 of
// the bytes that enter the image; the source only says where to look.
type Source struct {
	Name string
	Kind SourceKind
	// URL is a template with {version}, {os}, {arch} and {file}; release and
	// archive only.
	URL string
	// Module, Toolchain and Flags say how a gobuild program is made. Module "."
	// is this repository, whose programs belong to no Kubernetes version; each is
	// built with the go.mod nearest to its package. Of another module the version
	// is the Kubernetes version. Flags are templates with {version}.
	Module, Toolchain string
	Flags             []string
	Files             []SourceFile // by name
}

// SourceFile is one file that a source has.
type SourceFile struct {
	Name string
	// Kubernetes limits the versions that have the file; nil for a file that
	// belongs to no Kubernetes version.
	Versions *semver.Constraints
	Member   string // path in the archive; archive only
	Package  string // path of the Go package; gobuild only
}

// Release is one Kubernetes version that images are made for.
type Release struct {
	Version Version
	// Iterations counts, by flavor, how often the image of this version has
	// changed; a flavor that is absent is at 1.
	Iterations map[string]int
}
