package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
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
	// Nobody sweeps between the folder and its lock.
	gate, err := os.OpenFile(filepath.Join(parent, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("making a folder to build in: %w", err)
	}
	defer gate.Close()
	if err := unix.Flock(int(gate.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("making a folder to build in: locking %q: %w", gate.Name(), err)
	}
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
func (w *workDir) remove() error { return errors.Join(os.RemoveAll(w.dir), w.lock.Close()) }

func hold(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// sweep removes the folders that no process holds.
func sweep(parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, "build-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		lock, err := hold(dir)
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Close()); err != nil {
			return err
		}
	}
	return nil
}
