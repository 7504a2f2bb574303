// Package survey rebuilds version after version and records the results.
package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/search"
	"github.com/hyperkube/hyperkube/versions"
)

// Surveyor rebuilds the binaries without a recorded result.
type Surveyor struct {
	Rebuilder rebuild.Rebuilder
	Recorder  results.Recorder
	Catalog   *versions.Catalog
	Platforms []versions.Platform
	Out       io.Writer // receives the progress of searches
}

// Run surveys until every version is done. It records each result as soon as it
// is known, so it may be stopped at any time, and a later run continues.
func (s Surveyor) Run(ctx context.Context) ([]rebuild.Outcome, error) {
	dir := s.Rebuilder.Builder.Dir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("creating the cache of rebuilds: %w", err)
	}
	lock, err := lockfile.TryAcquire(filepath.Join(dir, "survey.lock"))
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return nil, errors.New("another survey is running")
	}
	defer lock.Close()
	var all []rebuild.Outcome
	var recordErr error
	report := s.Rebuilder.Report
	s.Rebuilder.Report = func(o rebuild.Outcome) {
		report(o)
		all = append(all, o)
		recordErr = errors.Join(recordErr, s.Recorder.Record(context.WithoutCancel(ctx), rebuild.Results(o)...))
	}
	tried := map[rebuild.Job]bool{} // not all jobs get a result
	for {
		version, jobs, err := s.next(tried)
		if err != nil || len(jobs) == 0 {
			return all, err
		}
		for _, j := range jobs {
			tried[j] = true
		}
		if err := s.Rebuilder.Builder.EvictCaches(ctx); err != nil {
			return all, err
		}
		before := len(all)
		err = s.surveyVersion(ctx, version, jobs)
		if ctx.Err() != nil || recordErr != nil {
			return all, errors.Join(ctx.Err(), recordErr)
		}
		if err == nil {
			continue
		}
		// A permanent failure of the whole version is the result of its jobs.
		left := slices.DeleteFunc(jobs, func(j rebuild.Job) bool {
			return slices.ContainsFunc(all[before:], func(o rebuild.Outcome) bool { return o.Job == j })
		})
		if _, err := s.Rebuilder.Fail(ctx, left, err, rebuild.Failure{Transient: !gotool.IsNotServed(err)}); err != nil || recordErr != nil {
			return all, errors.Join(err, recordErr)
		}
	}
}

// next returns the first version that has jobs without a result, and these jobs.
// It reads the results and build dates again, because those of the previous
// versions change the order.
func (s Surveyor) next(tried map[rebuild.Job]bool) (versions.Version, []rebuild.Job, error) {
	recorded, err := s.Recorder.Read()
	if err != nil {
		return versions.Version{}, nil, err
	}
	dates, err := s.Rebuilder.Dates.Read()
	if err != nil {
		return versions.Version{}, nil, err
	}
	for _, e := range order(s.Catalog, dates, recorded) {
		jobs, err := rebuild.Jobs(s.Catalog, e.version, e.binaries, s.Platforms)
		if err != nil {
			return e.version, nil, err
		}
		release := dates.Release(e.version)
		jobs = slices.DeleteFunc(jobs, func(j rebuild.Job) bool {
			result, ok := recorded[j.Key]
			return tried[j] || ok && !outdated(result, release)
		})
		if len(jobs) > 0 {
			return e.version, jobs, nil
		}
	}
	return versions.Version{}, nil, nil
}

// outdated reports whether the build date that a result lacked is known now.
func outdated(result results.Result, release builddate.Release) bool {
	_, known := release.Phases[result.MissingDate]
	return result.MissingDate != "" && known
}

// surveyVersion searches the build dates that jobs need, then rebuilds. It
// removes the sources of the version if they did not exist before.
func (s Surveyor) surveyVersion(ctx context.Context, version versions.Version, jobs []rebuild.Job) error {
	pinned, err := rebuild.Jobs(s.Catalog, version, []string{rebuild.All}, s.Platforms)
	if err != nil {
		return err
	}
	progress := s.Rebuilder.Builder.Progress
	trees, err := s.Rebuilder.Builder.Trees(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Stat(sourcetree.Dir(trees.Dir, version.String())); errors.Is(err, fs.ErrNotExist) {
		defer func() {
			if err := sourcetree.Remove(trees, version.String()); err != nil {
				progress.Logf("%v", err)
			}
		}()
	}
	searcher := search.Searcher{Rebuilder: s.Rebuilder, Platform: s.Platforms[0], Out: s.Out}
	r := s.Rebuilder
	if r.Exhausted, err = searcher.Run(ctx, version, pinned, jobs); err != nil && ctx.Err() == nil {
		progress.Logf("%v", err) // the jobs that need the date fail below
	}
	_, err = r.Run(ctx, version, jobs)
	return err
}
