// Package lockfile serializes processes by advisory locks on files and
// directories. The kernel releases a lock when its last descriptor is closed, so
// a killed process leaves none behind.
//
// Only the owner can open a lock file, so that no other user can hold the lock.
// For a lock on a directory, read access is enough. Therefore [AcquireDir] ignores
// processes of users who cannot write to the directory, as far as the kernel lists
// them.
package lockfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// DefaultTimeout is for locks that processes hold for seconds.
	DefaultTimeout = 10 * time.Minute
	// LongTimeout is for locks that processes hold while they download or build.
	LongTimeout = 12 * time.Hour
	// pollInterval is the time between two attempts. The kernel can wait for a
	// lock, but not for the end of a context as well.
	pollInterval = 50 * time.Millisecond
)

// Wait configures waiting for a lock that another process holds.
type Wait struct {
	// Timeout is the maximum time; 0 for [DefaultTimeout].
	Timeout time.Duration
	// Notify, unless nil, is called once. Holder describes the process that holds
	// the lock.
	Notify func(holder string)
}

// Acquire acquires the exclusive lock on the file at path, which it creates.
// Closing the file releases the lock; a child process that inherits the file holds
// it, too.
func Acquire(ctx context.Context, path string, wait Wait) (*os.File, error) {
	return acquire(ctx, path, wait, openFile, exclusive)
}

// AcquireShared is [Acquire] for a lock that any number of processes hold at once,
// while none holds it exclusively.
func AcquireShared(ctx context.Context, path string, wait Wait) (*os.File, error) {
	return acquire(ctx, path, wait, openFile, shared)
}

// AcquireDir is [Acquire] for an existing directory. It leaves no file behind,
// unless a user who cannot write to the directory holds its lock.
func AcquireDir(ctx context.Context, dir string, wait Wait) (*os.File, error) {
	return Poll(ctx, dir, wait, func() (*os.File, error) { return tryDir(dir) })
}

// tryDir returns the lock of a directory, or that of a file in it if a stranger
// holds the former. The file excludes other processes of this user.
func tryDir(dir string) (*os.File, error) {
	f, err := TryAcquireDir(dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, fmt.Sprintf(".hyperkube-lock-%d", os.Geteuid()))
	if f == nil {
		if heldByStrangers(dir) {
			return TryAcquire(file)
		}
		return nil, nil
	}
	// A process that has begun while a stranger held the lock may still run.
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	other, err := TryAcquire(file)
	if other == nil || err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, other.Close()
}

// TryAcquire is [Acquire], but returns nil if another process holds the lock.
func TryAcquire(path string) (*os.File, error) { return try(path, openFile, exclusive) }

// TryAcquireDir is [AcquireDir], but returns nil if another process, of any user,
// holds the lock.
func TryAcquireDir(dir string) (*os.File, error) { return try(dir, os.Open, exclusive) }

// TryLock acquires the exclusive lock on an open file, and returns false if another
// process holds it.
func TryLock(f *os.File) (bool, error) { return flock(f, exclusive) }

type openFunc func(path string) (*os.File, error)

func acquire(ctx context.Context, path string, wait Wait, open openFunc, how int) (*os.File, error) {
	return Poll(ctx, path, wait, func() (*os.File, error) { return try(path, open, how) })
}

// Poll calls attempt until it returns a lock on path or an error.
func Poll(ctx context.Context, path string, wait Wait, attempt func() (*os.File, error)) (*os.File, error) {
	if wait.Timeout == 0 {
		wait.Timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait.Timeout, fmt.Errorf("timeout after %v", wait.Timeout))
	defer cancel()
	for first := true; ; first = false {
		f, err := attempt()
		if f != nil || err != nil {
			return f, err
		}
		if first && wait.Notify != nil {
			wait.Notify(describeHolder(path))
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("acquiring lock %q, which %s holds: %w", path, describeHolder(path), context.Cause(ctx))
		case <-time.After(pollInterval):
		}
	}
}

// openFile opens a lock file, which it creates.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if err := protect(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func try(path string, open openFunc, how int) (*os.File, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("acquiring lock %q: %w", path, err)
	}
	switch ok, err := flock(f, how); {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("acquiring lock %q: %w", path, err), f.Close())
	case !ok:
		return nil, f.Close()
	}
	return f, nil
}
