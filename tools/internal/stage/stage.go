// Package stage makes something beside its place, for as long as that takes, and
// puts it there in one step.
package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/dirlock"
)

// poll is short enough not to be felt and long enough to cost nothing.
const poll = 100 * time.Millisecond

// Replace makes a folder beside path, of the given mode, has fill work in it, and
// then put move what came of it to its place. Whoever replaces the same waits;
// waiting, unless nil, is called then. Of the folder's own parent no more is asked
// than a moment at the beginning and at the end, so others go on there. What a
// kill leaves goes with the next Replace of the same path.
func Replace(ctx context.Context, path string, mode fs.FileMode, waiting func(), fill, put func(dir string) error) (err error) {
	dir := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	claimed, err := claim(ctx, dir, waiting)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, alone(context.WithoutCancel(ctx), dir, func(*os.File) error { return os.RemoveAll(dir) }), claimed.Close())
	}()
	// The lock is on the folder around it, for who works in it may lock it, too.
	work := filepath.Join(dir, "new")
	if err := errors.Join(os.Mkdir(work, mode), os.Chmod(work, mode)); err != nil {
		return err
	}
	if err := fill(work); err != nil {
		return err
	}
	return alone(ctx, dir, func(parent *os.File) error { return errors.Join(put(work), parent.Sync()) })
}

// alone does something to a folder while nobody claims one beside it.
func alone(ctx context.Context, dir string, do func(parent *os.File) error) error {
	parent, err := dirlock.Acquire(ctx, filepath.Dir(dir), nil)
	if err != nil {
		return err
	}
	return errors.Join(do(parent), parent.Close())
}

// claim makes the folder and takes its lock, by which others see that it is in
// use.
func claim(ctx context.Context, dir string, waiting func()) (claimed *os.File, err error) {
	for told := false; ; told = true {
		err := alone(ctx, dir, func(*os.File) (err error) {
			claimed, err = take(dir)
			return err
		})
		if claimed != nil || err != nil {
			return claimed, err
		}
		if !told && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another process that writes to %q: %w", dir, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// take is claim, or nil where the folder is in use. One that nobody has locked
// was left by a kill.
func take(dir string) (*os.File, error) {
	left, err := dirlock.Try(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil || left == nil:
		return nil, err
	default:
		if err := errors.Join(os.RemoveAll(dir), left.Close()); err != nil {
			return nil, err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	return dirlock.Try(dir)
}
