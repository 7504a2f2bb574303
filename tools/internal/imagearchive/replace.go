package imagearchive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/dirlock"
)

// Replace puts a file in its place in one step: before it there is what was
// there before, after it the whole file, on the disk. Fill writes it, and may
// use the work folder, which lies beside it and goes in the end. What a kill
// leaves there goes with the next Replace of the same file. Waiting, unless nil,
// is called if somebody else writes in that folder.
func Replace(ctx context.Context, file string, waiting func(), fill func(work string, out *os.File) error) (err error) {
	file = filepath.Clean(file)
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing %q: %w", file, err)
		}
	}()
	parent, err := dirlock.Acquire(ctx, filepath.Dir(file), waiting)
	if err != nil {
		return err
	}
	defer parent.Close()
	switch info, err := os.Lstat(file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is there, and not a regular file; name another one")
	}
	work := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".new")
	if err := os.RemoveAll(work); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := os.Mkdir(work, 0o700); err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(work, "file"))
	if err != nil {
		return err
	}
	err = fill(work, out)
	if err == nil {
		err = errors.Join(out.Chmod(0o644), out.Sync())
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), file); err != nil {
		return err
	}
	return parent.Sync()
}
