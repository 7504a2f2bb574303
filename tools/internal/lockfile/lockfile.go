// Package lockfile serializes processes by advisory locks on files and
// directories. The kernel releases a lock when its last descriptor is closed, so
// a killed process leaves none behind.
package lockfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// pollInterval is the time between two attempts. The kernel can wait for a lock,
// but not for the end of a context as well.
const pollInterval = 50 * time.Millisecond

// Acquire acquires the exclusive lock on the file at path, which it creates. It
// calls waiting, unless nil, once if another process holds the lock. Closing the
// file releases the lock; a child process that inherits the file holds it, too.
func Acquire(ctx context.Context, path string, waiting func()) (*os.File, error) {
	return acquire(ctx, path, os.O_RDWR|os.O_CREATE, exclusive, waiting)
}

// AcquireShared is [Acquire] for a lock that any number of processes hold at once,
// while none holds it exclusively.
func AcquireShared(ctx context.Context, path string, waiting func()) (*os.File, error) {
	return acquire(ctx, path, os.O_RDWR|os.O_CREATE, shared, waiting)
}

// AcquireDir is [Acquire] for an existing directory. It leaves no file behind.
func AcquireDir(ctx context.Context, dir string, waiting func()) (*os.File, error) {
	return acquire(ctx, dir, 0, exclusive, waiting)
}

// TryAcquire is [Acquire], but returns nil if another process holds the lock.
func TryAcquire(path string) (*os.File, error) { return try(path, os.O_RDWR|os.O_CREATE, exclusive) }

// TryAcquireDir is [AcquireDir], but returns nil if another process holds the lock.
func TryAcquireDir(dir string) (*os.File, error) { return try(dir, 0, exclusive) }

func acquire(ctx context.Context, path string, flag, how int, waiting func()) (*os.File, error) {
	return Poll(ctx, path, waiting, func() (*os.File, error) { return try(path, flag, how) })
}

// Poll calls attempt until it returns a lock on path or an error. It calls waiting,
// unless nil, once if the first attempt returns neither.
func Poll(ctx context.Context, path string, waiting func(), attempt func() (*os.File, error)) (*os.File, error) {
	for first := true; ; first = false {
		f, err := attempt()
		if f != nil || err != nil {
			return f, err
		}
		if first && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("acquiring lock %q: %w", path, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

func try(path string, flag, how int) (*os.File, error) {
	f, err := os.OpenFile(path, flag, 0o644)
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
