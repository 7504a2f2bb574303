package toolset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"
	"time"
)

// lockFile is the file whose lock a run holds. Only its owner can open it, so that
// no other user can hold the lock: for a lock on the directory itself, read access
// would be enough.
const lockFile = metaDir + "/lock"

// pollInterval is the time between two attempts to acquire the lock.
const pollInterval = 50 * time.Millisecond

// acquireLock acquires the lock of a directory. The kernel releases it when the
// process ends.
func acquireLock(ctx context.Context, root *os.Root, o Options) (*os.File, error) {
	if o.LockTimeout > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, o.LockTimeout, fmt.Errorf("timeout after %v", o.LockTimeout))
		defer cancel()
	}
	for first := true; ; first = false {
		f, holder, err := tryAcquireLock(root)
		if f != nil || err != nil {
			return f, err
		}
		if first && o.OnWait != nil {
			o.OnWait(holder)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %s, which holds the lock %q: %w", holder, path.Join(root.Name(), lockFile), context.Cause(ctx))
		case <-time.After(pollInterval):
		}
	}
}

// tryAcquireLock returns the file with the lock, or describes the process that
// holds it.
func tryAcquireLock(root *os.Root) (_ *os.File, holder string, err error) {
	f, err := openLock(root)
	if f == nil || err != nil {
		return nil, "another process", err
	}
	defer func() {
		if holder != "" || err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, describeHolder(f), nil
		case err != nil:
			return nil, "", fmt.Errorf("locking %q: %w", path.Join(root.Name(), lockFile), err)
		}
		break
	}
	// A run that failed removes the file.
	opened, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if now, err := root.Lstat(lockFile); err != nil || !os.SameFile(opened, now) {
		return nil, "another process", nil
	}
	return f, "", nil
}

// openLock opens the file of the lock, which it creates. It returns nil if a run
// that failed removes the directory of the file.
func openLock(root *os.Root) (*os.File, error) {
	if err := root.Mkdir(metaDir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if info, err := root.Lstat(metaDir); err == nil && !info.IsDir() {
		return nil, unexpectedError(root, metaDir, "a directory")
	}
	if info, err := root.Lstat(lockFile); err == nil && !info.Mode().IsRegular() {
		return nil, unexpectedError(root, lockFile, "a regular file")
	}
	f, err := root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := checkOwner(root, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkOwner returns an error if a user who does not own the directory could hold
// the lock on a file.
func checkOwner(root *os.Root, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	dir, err := root.Stat(".")
	if err != nil {
		return err
	}
	owner, owners := uid(info), []uint32{0, uint32(os.Geteuid()), uid(dir)}
	if !slices.Contains(owners, owner) {
		return fmt.Errorf("locking %q: owned by user %d, want an owner of the directory; remove it and run again", path.Join(root.Name(), lockFile), owner)
	}
	if info.Mode().Perm() == 0o600 {
		return nil
	}
	return f.Chmod(0o600)
}

func uid(info fs.FileInfo) uint32 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Uid
	}
	return 0
}

// isDenied reports whether a run without the lock cannot change the directory.
func isDenied(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM)
}

// removeLock removes the lock that this run holds if nothing was ever installed.
func removeLock(root *os.Root) {
	if _, err := root.Lstat(current); errors.Is(err, fs.ErrNotExist) {
		_ = root.Remove(lockFile)
		_ = root.Remove(metaDir)
	}
}
