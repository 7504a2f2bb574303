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
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening lock %q: %w", path, err)
	}
	for told := false; ; told = true {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			return nil, errors.Join(fmt.Errorf("locking %q: %w", path, err), f.Close())
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
