package layout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
)

// Dereference returns a layout whose blobs are regular files. If dir has no
// symlinks, it returns dir, resolved. Otherwise, as for layouts in Bazel's
// output tree, it returns a copy in a temporary directory, which remove deletes.
// Readers of layouts reject symlinks, some of them only after half of the work.
func Dereference(ctx context.Context, dir string) (resolved string, remove func() error, err error) {
	noop := func() error { return nil }
	src, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", noop, fmt.Errorf("reading layout: %w", err)
	}
	links, err := hasSymlinks(src)
	if err != nil || !links {
		return src, noop, err
	}
	resolved, err = os.MkdirTemp("", "hyperkube-layout-")
	if err != nil {
		return "", noop, fmt.Errorf("copying layout %q: %w", dir, err)
	}
	remove = func() error { return os.RemoveAll(resolved) }
	err = filepath.WalkDir(src, func(path string, entry fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(resolved, rel), 0o755)
		}
		return linkOrCopy(ctx, path, filepath.Join(resolved, rel))
	})
	if err != nil {
		return "", noop, errors.Join(fmt.Errorf("copying layout %q: %w", dir, err), remove())
	}
	return resolved, remove, nil
}

// linkOrCopy makes dst a hard link to the file that src resolves to, or a copy
// if they are on different file systems.
func linkOrCopy(ctx context.Context, src, dst string) (err error) {
	if src, err = filepath.EvalSymlinks(src); err != nil {
		return err
	}
	if os.Link(src, dst) == nil {
		return nil
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, ctxio.NewReader(ctx, in))
	return errors.Join(err, out.Close())
}

func hasSymlinks(dir string) (found bool, err error) {
	err = filepath.WalkDir(filepath.Join(dir, "blobs"), func(_ string, entry fs.DirEntry, err error) error {
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
