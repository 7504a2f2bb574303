package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kubetree"
	"github.com/hyperkube/hyperkube/tools/internal/rebuilt"
	"github.com/hyperkube/hyperkube/versions"
	"golang.org/x/sys/unix"
)

// survey rebuilds version after version, as far as there is no result yet, and
// records every one. It can be stopped at any time.
func (r *rebuilder) survey(ctx context.Context, catalog *versions.Catalog) error {
	dates, err := r.dates()
	if err != nil {
		return err
	}
	say := r.say
	var recordErr error
	r.say = func(o outcome) { // as soon as it is known: the survey may be killed
		say(o)
		recordErr = errors.Join(recordErr, r.recorder().record(context.WithoutCancel(ctx), []outcome{o}))
	}
	tried := map[job]bool{} // what is in the store already leaves no result
	for {
		results, err := r.recorder().read()
		if err != nil {
			return err
		}
		s, jobs, err := r.nextOfSurvey(catalog, dates, results, tried)
		if err != nil || len(jobs) == 0 {
			return err
		}
		for _, j := range jobs {
			tried[j] = true
		}
		if err := r.makeRoom(ctx); err != nil {
			return err
		}
		outcomes, err := r.surveyVersion(ctx, catalog, s.version, jobs)
		if ctx.Err() != nil || recordErr != nil {
			return errors.Join(ctx.Err(), recordErr)
		}
		if err != nil {
			// What stands in the way of one version is a result, too.
			for _, j := range jobs {
				if !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.job == j }) {
					r.tell(outcome{job: j, status: unbuildable, why: oneLine(err)})
				}
			}
			if recordErr != nil {
				return recordErr
			}
		}
	}
}

// nextOfSurvey is the first version in the survey's order that something is
// not known of, with the jobs of that; none at the end. What came of the
// versions before has a say in the order.
func (r *rebuilder) nextOfSurvey(catalog *versions.Catalog, dates *builddate.Dates, results *rebuilt.Results, tried map[job]bool) (surveyed, []job, error) {
	for _, s := range surveyOrder(catalog, dates, results) {
		c := r.config
		c.version, c.binaries = s.version, s.binaries
		jobs, err := c.jobs(catalog)
		if err != nil {
			return s, nil, err
		}
		jobs = slices.DeleteFunc(jobs, func(j job) bool {
			_, done := results.Get(rebuilt.Key{Version: j.version, Platform: j.platform, Binary: j.binary})
			return done || tried[j]
		})
		if len(jobs) > 0 {
			return s, jobs, nil
		}
	}
	return surveyed{}, nil, nil
}

// surveyVersion finds the dates that are missing for the jobs, then builds.
func (r *rebuilder) surveyVersion(ctx context.Context, catalog *versions.Catalog, v versions.Version, jobs []job) ([]outcome, error) {
	c := r.config
	c.version, c.binaries = v, []string{everything}
	pins, err := c.jobs(catalog)
	if err != nil {
		return nil, err
	}
	// A tree that nobody has asked for before the survey is not kept after it.
	trees, err := r.trees(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(kubetree.Dir(trees.Dir, v.String())); errors.Is(err, fs.ErrNotExist) {
		defer func() {
			if err := kubetree.Forget(context.WithoutCancel(ctx), trees, v.String()); err != nil {
				r.report.Say("%v", err)
			}
		}()
	}
	if err := r.search(ctx, v, pins, jobs); err != nil && ctx.Err() == nil {
		r.report.Say("%v", err) // the jobs that need the date will say so
	}
	return r.rebuild(ctx, v, jobs)
}

// lowDisk is when a survey throws away what it can make again.
const lowDisk = 2 * needDisk

// makeRoom removes build caches where the disk is nearly full, those first
// that were used last longest ago.
func (r *rebuilder) makeRoom(ctx context.Context) error {
	if err := os.MkdirAll(r.config.cache, 0o755); err != nil {
		return fmt.Errorf("making the folder of rebuilds: %w", err)
	}
	free := func() (int64, error) {
		var st unix.Statfs_t
		if err := unix.Statfs(r.config.cache, &st); err != nil {
			return 0, fmt.Errorf("asking for free disk space in %q: %w", r.config.cache, err)
		}
		return int64(st.Bavail) * st.Bsize, nil
	}
	if now, err := free(); err != nil || now > lowDisk {
		return err
	}
	turn, err := kubetree.TakeTurn(ctx, r.config.cache, r.report) // nobody compiles now
	if err != nil {
		return err
	}
	defer turn.Close()
	caches, err := cachesByUse(kubetree.BuildCaches(r.config.cache))
	if err != nil {
		return err
	}
	for _, dir := range caches {
		if now, err := free(); err != nil || now > lowDisk {
			return err
		}
		r.report.Say("making room: removing the build cache %s", dir)
		if err := discard(dir); err != nil {
			return err
		}
	}
	return nil
}

// cachesByUse lists the folders in dir, the one used last at the end.
func cachesByUse(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("making room: %w", err)
	}
	used := map[string]time.Time{}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("making room: %w", err)
		}
		name := filepath.Join(dir, e.Name())
		used[name] = info.ModTime()
		names = append(names, name)
	}
	slices.SortStableFunc(names, func(a, b string) int { return used[a].Compare(used[b]) })
	return names, nil
}

// discard removes a folder; at no time is there one of that name with only a
// part of what belongs in it.
func discard(dir string) error {
	old := dir + ".old"
	if err := os.RemoveAll(old); err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("making room: %w", err)
	}
	if err := os.RemoveAll(old); err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	return nil
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
