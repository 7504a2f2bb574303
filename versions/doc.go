// Package versions knows which Kubernetes versions exist, which images are made
// of them, and the sha256 of every file that may enter one.
//
// versions.yaml is the manifest: sources, flavors and releases, edited by
// people. lock.json holds the pins, written by tools/update. [ParseManifest] and
// [ParseLock] read them strictly and report every fault at once; [Resolve] joins
// the two into the images that can be built. A value of this package's types
// exists only if it is valid.
package versions

import _ "embed"

// ManifestFile and LockFile are where the two files lie, from the root of the
// repository; errors name them so.
const (
	ManifestFile = "versions/versions.yaml"
	LockFile     = "versions/lock.json"
)

//go:embed versions.yaml
var manifest []byte

//go:embed lock.json
var lock []byte

// Load returns the images of the manifest and lock that were compiled in.
// Warnings are for people; they are no reason not to build.
func Load() (catalog *Catalog, warnings []string, err error) {
	m, err := ParseManifest(ManifestFile, manifest)
	if err != nil {
		return nil, nil, err
	}
	l, warnings, err := ParseLock(LockFile, lock)
	if err != nil {
		return nil, nil, err
	}
	catalog, err = Resolve(m, l)
	return catalog, warnings, err
}
