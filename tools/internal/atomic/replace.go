package atomic

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// Replace creates a temporary directory with the given mode next to path, calls
// write to fill it and commit to move its content to path. Concurrent calls for
// the same path run one after another; waiting, unless nil, is called once if
// this one has to wait for another process, which holder describes. The parent
// directory is locked for a moment at the start and at the end only, so calls for
// other paths go on. The next call for the same path removes what a killed process
// leaves.
func Replace(ctx context.Context, path string, mode fs.FileMode, waiting func(holder string), write, commit func(dir string) error) (err error) {
	dir := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	lock, err := acquire(ctx, dir, waiting)
	if err != nil {
		return err
	}
	defer func() {
		remove := func() error { return os.RemoveAll(dir) }
		err = errors.Join(err, withParentLock(context.WithoutCancel(ctx), dir, remove), lock.Close())
	}()
	// The lock is on the directory around this one, which write may lock itself.
	tmp := filepath.Join(dir, "new")
	if err := errors.Join(os.Mkdir(tmp, mode), os.Chmod(tmp, mode)); err != nil {
		return err
	}
	if err := write(tmp); err != nil {
		return err
	}
	return withParentLock(ctx, dir, func() error { return errors.Join(commit(tmp), syncDir(filepath.Dir(dir))) })
}

// withParentLock calls do while no other process creates or removes temporary
// directories in the parent of dir.
func withParentLock(ctx context.Context, dir string, do func() error) error {
	lock, err := lockfile.AcquireDir(ctx, filepath.Dir(dir), lockfile.Wait{})
	if err != nil {
		return err
	}
	return errors.Join(do(), lock.Close())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// acquire creates dir and locks it, which shows that it is in use.
func acquire(ctx context.Context, dir string, waiting func(holder string)) (*os.File, error) {
	return lockfile.Poll(ctx, dir, lockfile.Wait{Timeout: lockfile.LongTimeout, Notify: waiting}, func() (lock *os.File, err error) {
		err = withParentLock(ctx, dir, func() error {
			lock, err = tryAcquire(dir)
			return err
		})
		return lock, err
	})
}

// tryAcquire is acquire, but returns nil if dir is in use. A directory without a
// lock was left by a killed process.
func tryAcquire(dir string) (*os.File, error) {
	switch left, err := lockfile.TryAcquireDir(dir); {
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
	return lockfile.TryAcquireDir(dir)
}

// CreateDir creates dir with the files that write puts into a temporary directory
// next to it, flushed to disk. The caller excludes concurrent calls for the same
// dir. The next call removes what a killed process leaves.
func CreateDir(dir string, write func(tmp string) error) error {
	tmp := dir + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	err := os.MkdirAll(tmp, 0o755)
	if err == nil {
		err = write(tmp)
	}
	if err == nil {
		err = SyncFS(tmp)
	}
	if err == nil {
		err = os.Rename(tmp, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return nil
}

// Exchange moves the directory tmp to dir. If dir exists, its content is in tmp
// afterwards.
func Exchange(tmp, dir string) error {
	err := exchange(tmp, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return os.Rename(tmp, dir)
	}
	return err
}

// RemoveAll removes the directory in one step, unlike [os.RemoveAll]. The next
// call removes what a killed process leaves.
func RemoveAll(dir string) error {
	old := dir + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(old)
}
