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

// Replace replaces a file atomically and syncs it to disk. The function write writes
// it, and may use the temporary directory tmp beside the file. A call after a killed
// process removes its leftovers. The function waiting, unless nil, is called while
// another process writes the same file.
func Replace(ctx context.Context, file string, waiting func(holder string), write func(tmp string, out *os.File) error) (err error) {
	file = filepath.Clean(file)
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing %q: %w", file, err)
		}
	}()
	if err := checkReplaceable(file); err != nil {
		return err
	}
	return atomic.Replace(ctx, file, 0o700, waiting, func(tmp string) error {
		out, err := os.Create(filepath.Join(tmp, "file"))
		if err != nil {
			return err
		}
		err = write(tmp, out)
		if err == nil {
			err = errors.Join(out.Chmod(0o644), out.Sync())
		}
		return errors.Join(err, out.Close())
	}, func(tmp string) error {
		if err := checkReplaceable(file); err != nil {
			return err
		}
		return os.Rename(filepath.Join(tmp, "file"), file)
	})
}

// checkReplaceable checks that the path is free or a regular file. As root, Replace
// could otherwise replace a device.
func checkReplaceable(file string) error {
	switch info, err := os.Lstat(file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("refusing to overwrite: not a regular file")
	}
	return nil
}
