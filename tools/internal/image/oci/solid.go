package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Solid returns a layout whose blobs are regular files: dir itself, or one in a
// folder of its own where dir or its blobs are links, as they are in what Bazel
// lays out. Readers of layouts refuse links, but some only notice when they come
// to need the blob.
func Solid(ctx context.Context, dir string) (solid string, remove func() error, err error) {
	nothing := func() error { return nil }
	from, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", nothing, fmt.Errorf("reading layout: %w", err)
	}
	links, err := hasLinks(from)
	if err != nil || !links {
		return from, nothing, err
	}
	solid, err = os.MkdirTemp("", "hyperkube-layout-")
	if err != nil {
		return "", nothing, fmt.Errorf("copying layout %q: %w", dir, err)
	}
	remove = func() error { return os.RemoveAll(solid) }
	err = filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(solid, rel), 0o755)
		}
		return place(ctx, file, filepath.Join(solid, rel))
	})
	if err != nil {
		return "", nothing, errors.Join(fmt.Errorf("copying layout %q: %w", dir, err), remove())
	}
	return solid, remove, nil
}

// place gives what a file or a link leads to a second name, or copies it where
// that is on another disk.
func place(ctx context.Context, file, to string) error {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	if os.Link(real, to) == nil {
		return nil
	}
	return Copy(func(string) (io.ReadCloser, error) {
		f, err := os.Open(real)
		if err != nil {
			return nil, err
		}
		return stoppable{ctx, f}, nil
	})(file, to)
}

// stoppable is a file whose reading ends with its context.
type stoppable struct {
	ctx context.Context
	*os.File
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.File.Read(p)
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
