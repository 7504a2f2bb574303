package fetch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/builder"
	"github.com/hyperkube/hyperkube/versions"
)

// rebuild rebuilds the binary of a pin from source and puts it into the store. It
// uses the build dates of the checkout at f.Root, if there is one.
func (f *Fetcher) rebuild(ctx context.Context, pin versions.Pin) error {
	cache, err := cachedir.Dir(f.Getenv)
	if err != nil {
		return err
	}
	dates := filepath.Join(f.Root, filepath.FromSlash(builddate.File))
	if _, err := os.Stat(dates); err != nil {
		dates = "" // embedded
	}
	outcomes, err := rebuild.Rebuilder{
		Builder: builder.Config{
			Cache: cache, Parallel: builder.DefaultParallel(), Getenv: f.Getenv, Log: f.Log, Progress: f.Progress,
		},
		Dates:  builddate.Database{Path: dates},
		Store:  &f.Store,
		Report: func(o rebuild.Outcome) { f.Progress.Logf("%s", o) },
	}.Run(ctx, pin.Version, []rebuild.Job{rebuild.JobOf(pin)})
	if err == nil && outcomes[0].Status != rebuild.Matched && outcomes[0].Status != rebuild.Stored {
		err = fmt.Errorf("%s", outcomes[0])
	}
	if err != nil {
		return fmt.Errorf("rebuilding from source: %w", err)
	}
	return nil
}
