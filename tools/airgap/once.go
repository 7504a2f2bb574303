package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/diskspace"
	"github.com/hyperkube/hyperkube/tools/internal/filelock"
)

// ensureDir creates the directory atomically with the files that fill writes,
// unless it exists.
func (c config) ensureDir(ctx context.Context, to string, fill func(dir string) error) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lock, err := filelock.Acquire(ctx, c.path("lock"), func() {
		fmt.Fprintf(c.log, "waiting for another process that sets up Bazel in %s\n", c.path())
	})
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	build := to + ".new"
	if err := os.RemoveAll(build); err != nil {
		return fmt.Errorf("removing an incomplete directory: %w", err)
	}
	if err := os.MkdirAll(build, 0o755); err != nil {
		return fmt.Errorf("creating a directory: %w", err)
	}
	if err := fill(build); err != nil {
		return errors.Join(err, os.RemoveAll(build))
	}
	if err := diskspace.SyncFS(build); err != nil {
		return fmt.Errorf("syncing %q to disk: %w", build, err)
	}
	if err := os.Rename(build, to); err != nil {
		return fmt.Errorf("renaming a directory: %w", err)
	}
	return nil
}
