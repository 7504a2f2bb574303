// Package checkout opens the manifest, the lock and the records of images: those
// of the checkout that a command runs in, or those embedded in the command.
package checkout

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/images"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// Data has the catalog and the records of images.
type Data struct {
	// Root is the root directory of the checkout; "" if the data is embedded.
	Root    string
	Catalog *versions.Catalog
	Records record.Records
}

// Open opens the checkout that dir is in, or the embedded data if it is in none.
func Open(dir string) (Data, error) {
	var d Data
	var err error
	if d.Root = Root(dir); d.Root == "" {
		if d.Catalog, err = versions.Load(); err != nil {
			return d, err
		}
		d.Records, err = record.Parse(images.Digests())
		return d, err
	}
	if d.Catalog, err = versions.LoadFrom(os.DirFS(d.Root)); err != nil {
		return d, fmt.Errorf("opening checkout %q: %w", d.Root, err)
	}
	d.Records, err = record.Read(d.Root)
	return d, err
}

// ReadFile returns the bytes of the manifest, the lock or the records.
func (d Data) ReadFile(name string) ([]byte, error) {
	switch {
	case d.Root != "" && name == record.File:
		return record.ReadFile(d.Root)
	case d.Root != "":
		return versions.ReadFile(os.DirFS(d.Root), name)
	case name == record.File:
		return images.Digests(), nil
	}
	return versions.Embedded(name)
}

// Root returns the closest directory at or above dir that has a manifest and a
// lock, or "".
func Root(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		// Bazel links the checkout into its execution root, but an action or a test
		// must not depend on files that are not its inputs.
		if filepath.Base(filepath.Dir(dir)) == "execroot" {
			return ""
		}
		found := true
		for _, name := range []string{versions.ManifestFile, versions.LockFile} {
			info, err := os.Stat(filepath.Join(dir, name))
			found = found && err == nil && info.Mode().IsRegular()
		}
		if found {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
