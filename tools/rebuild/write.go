package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/hyperkube/hyperkube/tools/internal/filelock"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
)

// writeFile writes a file so that it is there whole or as before.
func writeFile(name string, data []byte) error {
	if err := renameio.WriteFile(name, data, 0o644, renameio.WithStaticPermissions(0o644)); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	return nil
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
