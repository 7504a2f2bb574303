package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// workDir is a directory of this process alone. The next process removes those
// of killed processes, whose locks the kernel has released.
type workDir struct {
	path string
	lock *os.File
}

func newWorkDir(parent string) (_ *workDir, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("creating a build directory: %w", err)
		}
	}()
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	parentLock, err := lockParent(parent)
	if err != nil {
		return nil, err
	}
	defer parentLock.Close()
	if err := sweep(parent); err != nil {
		return nil, fmt.Errorf("removing the directory of a killed build: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "build-")
	if err != nil {
		return nil, err
	}
	lock, err := lockfile.TryAcquireDir(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &workDir{dir, lock}, nil
}

func (w *workDir) remove() error {
	parentLock, err := lockParent(filepath.Dir(w.path))
	if err != nil {
		return fmt.Errorf("removing a build directory: %w", err)
	}
	return errors.Join(os.RemoveAll(w.path), w.lock.Close(), parentLock.Close())
}

// lockParent acquires the lock that is held while directories are created or
// removed, so that each is locked from beginning to end.
func lockParent(parent string) (*os.File, error) {
	return lockfile.Acquire(context.Background(), filepath.Join(parent, "lock"), lockfile.Wait{})
}

// sweep removes the directories whose lock no process holds.
func sweep(parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, "build-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		lock, err := lockfile.TryAcquireDir(dir)
		if err != nil {
			return err
		}
		if lock == nil {
			continue
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Close()); err != nil {
			return err
		}
	}
	return nil
}
