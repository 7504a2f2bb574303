package versions

import "github.com/Masterminds/semver/v3"

// Manifest is the manifest, versions.yaml.
type Manifest struct {
	// Registry is the default registry for pushes, with an optional path.
	Registry string
	Sources  []Source  // by name
	Debian   *Debian   // nil without the section
	Flavors  []Flavor  // in the order of the file; the first is the default one
	Releases []Release // newest last
}

// SourceKind is the way to get the files of a source.
type SourceKind string

// The kinds of sources.
const (
	// KindRelease is for files at one URL each.
	KindRelease SourceKind = "release"
	// KindArchive is for members of an archive at a URL.
	KindArchive SourceKind = "archive"
	// KindGoBuild is for programs of this repository, built without cgo.
	KindGoBuild SourceKind = "gobuild"
)

// Source is an origin of files. The lock has the sha256 of each file.
type Source struct {
	Name string
	Kind SourceKind
	// URL is a template with {version}, {os}, {arch} and {file}. Only for
	// KindRelease and KindArchive.
	URL string
	// Toolchain and Flags are only for KindGoBuild. Each program is built in the Go
	// module that its package is in.
	Toolchain string
	Flags     []string
	Files     []SourceFile // by name
}

// SourceFile is a file of a source.
type SourceFile struct {
	Name string
	// Versions matches the Kubernetes versions that have the file; nil for a
	// program of this repository.
	Versions *semver.Constraints
	Member   string // path in the archive; only for KindArchive
	Package  string // path of the Go package; only for KindGoBuild
}

// Release is a Kubernetes version with images.
type Release struct {
	Version Version
	// Iterations has the iteration of each flavor's image; 1 for a missing flavor.
	Iterations map[string]int
}
