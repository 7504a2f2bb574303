// Package dirlock lets one process at a time change what lies in a folder. The
// lock is on the folder itself: it leaves no file behind, and ends with its
// process.
package dirlock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// poll is short enough not to be felt and long enough to cost nothing.
const poll = 50 * time.Millisecond

// Acquire takes the lock of a folder that is there, and calls waiting, unless nil,
// once if another process has it. Closing the file gives it back.
func Acquire(ctx context.Context, dir string, waiting func()) (*os.File, error) {
	for told := false; ; told = true {
		f, err := Try(dir)
		if f != nil || err != nil {
			return f, err
		}
		if !told && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock of %q: %w", dir, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// Try takes the lock, or returns nil where others have it.
func Try(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("locking %q: %w", dir, err)
	}
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == nil:
			return f, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return nil, f.Close()
		case !errors.Is(err, unix.EINTR):
			return nil, errors.Join(fmt.Errorf("locking %q: %w", dir, err), f.Close())
		}
	}
}
