package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/filelock"
)

// writeFile writes a file so that it is there whole or as before.
func writeFile(name string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing %q: %w", name, err), os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// learn writes what was found of one phase of a release to the file of build
// dates; another process may have added to it meanwhile, of the same release, too.
func (r *rebuilder) learn(ctx context.Context, found builddate.Release, phase string) error {
	lock, err := filelock.Acquire(ctx, filepath.Join(r.config.cache, "dates.lock"), nil)
	if err != nil {
		return err
	}
	defer lock.Close()
	dates, err := r.dates()
	if err != nil {
		return err
	}
	known := dates.Release(found.Version)
	if known.Commit == "" {
		known.Commit, known.CommitHow = found.Commit, found.CommitHow
	}
	if known.CommitTime.Date.IsZero() || found.CommitTime.How == builddate.Search {
		known.CommitTime = found.CommitTime
	}
	dates.Set(known.Learn(phase, found.Phases[phase]))
	return writeFile(r.config.dates, dates.Format())
}
