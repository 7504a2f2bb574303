// Package filelock makes processes take turns. The kernel drops a lock with
// the last descriptor of it, so a killed process never leaves one behind.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// poll is short enough not to be felt and long enough to cost nothing.
const poll = 100 * time.Millisecond

// Acquire takes the exclusive lock at path, which it creates, and calls
// waiting once if another process has it. Closing the file releases the lock;
// a child that inherits the file keeps it until it ends, too.
func Acquire(ctx context.Context, path string, waiting func()) (*os.File, error) {
	return acquire(ctx, path, unix.LOCK_EX, waiting)
}

// Share takes the lock beside others that share it; who wants it for himself
// waits for all of them.
func Share(ctx context.Context, path string, waiting func()) (*os.File, error) {
	return acquire(ctx, path, unix.LOCK_SH, waiting)
}

// Try takes the exclusive lock, or returns nil where others have it.
func Try(path string) (*os.File, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	ok, err := flock(f, unix.LOCK_EX)
	if err != nil || !ok {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening lock %q: %w", path, err)
	}
	return f, nil
}

// flock takes the lock, if that is possible at once.
func flock(f *os.File, how int) (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, fmt.Errorf("locking %q: %w", f.Name(), err)
		}
	}
}

func acquire(ctx context.Context, path string, how int, waiting func()) (*os.File, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		ok, err := flock(f, how)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if ok {
			return f, nil
		}
		if !told && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for lock %q: %w", path, ctx.Err()), f.Close())
		case <-time.After(poll):
		}
	}
}
