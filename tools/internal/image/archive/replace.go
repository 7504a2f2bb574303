package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
)

// Replace puts a file in its place in one step: before it there is what was
// there before, after it the whole file, on the disk. Fill writes it, and may
// use the work folder, which lies beside it and goes in the end. What a kill
// leaves there goes with the next Replace of the same file. Waiting, unless nil,
// is called if somebody else writes the same file.
func Replace(ctx context.Context, file string, waiting func(), fill func(work string, out *os.File) error) (err error) {
	file = filepath.Clean(file)
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing %q: %w", file, err)
		}
	}()
	if err := replaceable(file); err != nil {
		return err
	}
	return atomic.Replace(ctx, file, 0o700, waiting, func(work string) error {
		out, err := os.Create(filepath.Join(work, "file"))
		if err != nil {
			return err
		}
		err = fill(work, out)
		if err == nil {
			err = errors.Join(out.Chmod(0o644), out.Sync())
		}
		return errors.Join(err, out.Close())
	}, func(work string) error {
		if err := replaceable(file); err != nil {
			return err
		}
		return os.Rename(filepath.Join(work, "file"), file)
	})
}

// replaceable wants a place that is free, or has a file and no device.
func replaceable(file string) error {
	switch info, err := os.Lstat(file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is there, and not a regular file; name another one")
	}
	return nil
}
