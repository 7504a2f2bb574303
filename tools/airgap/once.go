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

// once fills the folder to unless it is there. It appears whole or not at all.
func (c config) once(ctx context.Context, to string, fill func(dir string) error) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lock, err := filelock.Acquire(ctx, c.path("lock"), func() {
		fmt.Fprintf(c.log, "waiting for another run that sets up Bazel in %s\n", c.path())
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
		return fmt.Errorf("removing what an earlier run left: %w", err)
	}
	if err := os.MkdirAll(build, 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if err := fill(build); err != nil {
		return errors.Join(err, os.RemoveAll(build))
	}
	if err := diskspace.SyncFS(build); err != nil {
		return fmt.Errorf("writing %q to disk: %w", build, err)
	}
	if err := os.Rename(build, to); err != nil {
		return fmt.Errorf("moving a folder into place: %w", err)
	}
	return nil
}
