package oci

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Solid returns a layout whose blobs are regular files: dir itself, or a copy
// where blobs are links, as they are in an image that Bazel laid out. Readers
// of layouts refuse links, but some only notice when they come to need the blob.
func Solid(dir string) (solid string, remove func() error, err error) {
	nothing := func() error { return nil }
	links, err := hasLinks(dir)
	if err != nil || !links {
		return dir, nothing, err
	}
	solid, err = os.MkdirTemp("", "hyperkube-layout-")
	if err != nil {
		return "", nothing, fmt.Errorf("copying layout %q: %w", dir, err)
	}
	remove = func() error { return os.RemoveAll(solid) }
	err = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(solid, rel), 0o755)
		}
		return Copy(Files(func(string) string { return file }))(rel, filepath.Join(solid, rel))
	})
	if err != nil {
		remove()
		return "", nothing, fmt.Errorf("copying layout %q: %w", dir, err)
	}
	return solid, remove, nil
}

func hasLinks(dir string) (bool, error) {
	found := false
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type()&fs.ModeSymlink != 0 {
			found = true
			return fs.SkipAll
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	return found, nil
}
