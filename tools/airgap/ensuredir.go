package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// ensureDir creates the directory atomically with the files that fill writes,
// unless it exists.
func (c config) ensureDir(ctx context.Context, dir string, fill func(dir string) error) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lock, err := lockfile.Acquire(ctx, c.path("lock"), lockfile.Wait{Timeout: lockfile.LongTimeout, Notify: func(holder string) {
		fmt.Fprintf(c.log, "waiting for %s, which sets up Bazel in %s\n", holder, c.path())
	}})
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return atomic.CreateDir(dir, fill)
}
