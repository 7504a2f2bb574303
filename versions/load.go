// Package versions reads the manifest and the lock: the Kubernetes versions, the
// images built for them, and the sha256 of every file in these images.
//
// The manifest, versions.yaml, has sources, flavors and releases; people edit
// it. The lock, lock.json, has the pins; `hk pin` writes it. [ParseManifest] and
// [ParseLock] are strict and report the first 20 errors at once. [Resolve] joins
// manifest and lock to a [Catalog] of images. Values of the types Version, Digest,
// Platform and ImageRef are valid, or zero.
package versions

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// ManifestFile and LockFile are the paths of the two files below the root of the
// repository. Errors use them.
const (
	ManifestFile = "versions/versions.yaml"
	LockFile     = "versions/lock.json"
)

//go:embed versions.yaml lock.json builddates.json rebuilt.json endoflife.json
var embedded embed.FS

// Embedded returns the embedded bytes of [ManifestFile], [LockFile] or another JSON
// file of this directory, for hk outside of a checkout.
func Embedded(name string) ([]byte, error) { return embedded.ReadFile(path.Base(name)) }

// Load returns the catalog of the embedded manifest and lock.
func Load() (*Catalog, error) { return load(embedded, "versions.yaml", "lock.json") }

// LoadFrom returns the catalog of a repository's manifest and lock.
func LoadFrom(root fs.FS) (*Catalog, error) { return load(root, ManifestFile, LockFile) }

func load(from fs.FS, manifestFile, lockFile string) (*Catalog, error) {
	rawManifest, err1 := ReadFile(from, manifestFile)
	rawLock, err2 := ReadFile(from, lockFile)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("reading manifest and lock: %w", err)
	}
	// Concurrent, because each takes a noticeable time with thousands of versions.
	var m *Manifest
	done := make(chan error)
	go func() {
		var err error
		m, err = ParseManifest(ManifestFile, rawManifest)
		done <- err
	}()
	l, err2 := ParseLock(LockFile, rawLock)
	err1 = <-done
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return Resolve(m, l)
}

// ReadFile returns the bytes of [ManifestFile] or [LockFile] below the root of a
// repository. A file that is too large to be parsed is an error.
func ReadFile(from fs.FS, name string) ([]byte, error) {
	limit := int64(maxLock)
	if path.Base(name) == path.Base(ManifestFile) {
		limit = maxManifest
	}
	info, err := fs.Stat(from, name)
	if err == nil && info.Size() > limit {
		err = fmt.Errorf("%q: want at most %d bytes, got %d", name, limit, info.Size())
	}
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(from, name)
}
