package builddate

import (
	"context"
	"errors"
	"fmt"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/versions"
)

// Database is a file of build dates, or the read-only dates embedded in this
// program.
type Database struct {
	Path string // "" for the embedded dates
	Lock string // path of the lock that is held while the file changes
}

const maxSize = 16 << 20

// Read returns all dates.
func (d Database) Read() (Dates, error) {
	if d.Path == "" {
		data, err := versions.Embedded(File)
		if err != nil {
			return nil, err
		}
		return Parse(File, data)
	}
	data, err := gotool.ReadFile(d.Path, maxSize)
	if err != nil {
		return nil, fmt.Errorf("reading build dates: %w", err)
	}
	return Parse(d.Path, data)
}

// Writable returns an error if Add cannot work.
func (d Database) Writable() error {
	if d.Path == "" {
		return errors.New("writing build dates: no file; run inside a checkout or name a file with --dates")
	}
	return nil
}

// Add merges the build date of one phase into the file. It reads the file again
// under the lock, because searches of other phases may have changed it.
func (d Database) Add(ctx context.Context, found Release, phase string) error {
	if err := d.Writable(); err != nil {
		return err
	}
	lock, err := lockfile.Acquire(ctx, d.Lock, lockfile.Wait{})
	if err != nil {
		return err
	}
	defer lock.Close()
	dates, err := d.Read()
	if err != nil {
		return err
	}
	known := dates.Release(found.Version)
	if known.Commit == (Commit{}) {
		known.Commit = found.Commit
	}
	if known.CommitTime.Date.IsZero() || found.CommitTime.Source == Search {
		known.CommitTime = found.CommitTime
	}
	dates[known.Version] = known.WithPhase(phase, found.Phases[phase])
	return atomic.WriteFile(d.Path, dates.Format())
}
