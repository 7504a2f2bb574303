package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// workDir is a folder of this process alone. Those that killed processes left
// are removed by the next one.
type workDir struct {
	dir  string
	lock *os.File
}

func newWorkDir(parent string) (*workDir, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("making a folder to build in: %w", err)
	}
	gate, err := pass(parent)
	if err != nil {
		return nil, fmt.Errorf("making a folder to build in: %w", err)
	}
	defer gate.Close()
	if err := sweep(parent); err != nil {
		return nil, fmt.Errorf("removing the folder of a killed build: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "build-")
	if err != nil {
		return nil, fmt.Errorf("making a folder to build in: %w", err)
	}
	lock, err := hold(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making a folder to build in: %w", err), os.RemoveAll(dir))
	}
	return &workDir{dir, lock}, nil
}

// remove gives the folder up.
func (w *workDir) remove() error {
	gate, err := pass(filepath.Dir(w.dir))
	if err != nil {
		return fmt.Errorf("removing the folder of a build: %w", err)
	}
	return errors.Join(os.RemoveAll(w.dir), w.lock.Close(), gate.Close())
}

// pass lets one process at a time make or remove folders: a folder and its
// lock come and go together.
func pass(parent string) (*os.File, error) {
	return lockfile.Acquire(context.Background(), filepath.Join(parent, "lock"), nil)
}

// hold takes the lock of a folder; it is nil where a process has it.
func hold(dir string) (*os.File, error) { return lockfile.TryAcquire(filepath.Join(dir, "lock")) }

// sweep removes the folders that no process holds.
func sweep(parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, "build-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		lock, err := hold(dir)
		if err != nil {
			return err
		}
		if lock == nil {
			continue
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Close()); err != nil {
			return err
		}
	}
	return nil
}
