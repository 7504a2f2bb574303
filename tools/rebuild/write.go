package main

import (
	"context"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// writeFile replaces a file.
func writeFile(name string, data []byte) error {
	return atomic.WriteFile(name, data)
}

// learn writes what was found of one phase of a release to the file of build
// dates; another process may have added to it meanwhile, of the same release, too.
func (r *rebuilder) learn(ctx context.Context, found builddate.Release, phase string) error {
	lock, err := lockfile.Acquire(ctx, filepath.Join(r.config.cache, "dates.lock"), nil)
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
