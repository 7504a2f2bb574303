// Package versions knows which Kubernetes versions exist, which images are made
// of them, and the sha256 of every file that may enter one.
//
// versions.yaml is the manifest: sources, flavors and releases, edited by
// people. lock.json holds the pins, written by tools/update. [ParseManifest] and
// [ParseLock] read them strictly and report every fault at once; [Resolve] joins
// the two into the images that can be built. A value of this package's types
// exists only if it is valid.
package versions

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// ManifestFile and LockFile are where the two files lie, from the root of the
// repository; errors name them so.
const (
	ManifestFile = "versions/versions.yaml"
	LockFile     = "versions/lock.json"
)

//go:embed versions.yaml lock.json
var embedded embed.FS

// Load joins the manifest and the lock that were compiled in. Warnings are for
// people; they are no reason not to build.
func Load() (c *Catalog, warnings []string, err error) {
	return load(embedded, "versions.yaml", "lock.json")
}

// LoadFrom joins the manifest and the lock of a repository.
func LoadFrom(root fs.FS) (c *Catalog, warnings []string, err error) {
	return load(root, ManifestFile, LockFile)
}

func load(from fs.FS, manifestFile, lockFile string) (*Catalog, []string, error) {
	rawManifest, err1 := fs.ReadFile(from, manifestFile)
	rawLock, err2 := fs.ReadFile(from, lockFile)
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, fmt.Errorf("reading manifest and lock: %w", err)
	}
	// Side by side: with thousands of versions each takes a while.
	var m *Manifest
	done := make(chan error)
	go func() {
		var err error
		m, err = ParseManifest(ManifestFile, rawManifest)
		done <- err
	}()
	l, warnings, err2 := ParseLock(LockFile, rawLock)
	err1 = <-done
	if err := errors.Join(err1, err2); err != nil {
		return nil, warnings, err
	}
	c, err := Resolve(m, l)
	if err != nil {
		return nil, warnings, err
	}
	return c, append(warnings, c.Warnings()...), nil
}
