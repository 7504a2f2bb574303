package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/versions"
)

// survey rebuilds version after version, as far as there is no result yet, and
// records every one. It can be stopped at any time.
func (r *rebuilder) survey(ctx context.Context, catalog *versions.Catalog) ([]outcome, error) {
	if err := os.MkdirAll(r.config.cache, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of rebuilds: %w", err)
	}
	lock, err := lockfile.TryAcquire(filepath.Join(r.config.cache, "survey.lock"))
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return nil, errors.New("another survey is under way; its results are kept as they come")
	}
	defer lock.Close()
	var all []outcome
	say := r.say
	var recordErr error
	r.say = func(o outcome) { // as soon as it is known: the survey may be killed
		say(o)
		all = append(all, o)
		recordErr = errors.Join(recordErr, r.recorder().record(context.WithoutCancel(ctx), []outcome{o}))
	}
	tried := map[job]bool{} // what is in the store already leaves no result
	for {
		s, jobs, err := r.nextOfSurvey(catalog, tried)
		if err != nil || len(jobs) == 0 {
			return all, err
		}
		for _, j := range jobs {
			tried[j] = true
		}
		if err := r.makeRoom(ctx); err != nil {
			return all, err
		}
		told := len(all)
		err = r.surveyVersion(ctx, catalog, s.version, jobs)
		if ctx.Err() != nil || recordErr != nil {
			return all, errors.Join(ctx.Err(), recordErr)
		}
		if err == nil {
			continue
		}
		// What stands in the way of one version is a result, too, if it will
		// stand there tomorrow.
		left := slices.DeleteFunc(jobs, func(j job) bool {
			return slices.ContainsFunc(all[told:], func(o outcome) bool { return o.job == j })
		})
		if _, err := r.fail(ctx, left, err, trouble{passing: !gotool.IsNotServed(err)}); err != nil || recordErr != nil {
			return all, errors.Join(err, recordErr)
		}
	}
}

// nextOfSurvey is the first version in the survey's order that something is
// not known of, with the jobs of that; none at the end. What came of the
// versions before has a say in the order, and so have dates found meanwhile.
func (r *rebuilder) nextOfSurvey(catalog *versions.Catalog, tried map[job]bool) (surveyed, []job, error) {
	known, err := r.recorder().read()
	if err != nil {
		return surveyed{}, nil, err
	}
	dates, err := r.dates()
	if err != nil {
		return surveyed{}, nil, err
	}
	for _, s := range surveyOrder(catalog, dates, known) {
		c := r.config
		c.version, c.binaries = s.version, s.binaries
		jobs, err := c.jobs(catalog)
		if err != nil {
			return s, nil, err
		}
		release := dates.Release(s.version)
		jobs = slices.DeleteFunc(jobs, func(j job) bool {
			result, done := known.Get(results.Key{Version: j.version, Platform: j.platform, Binary: j.binary})
			return tried[j] || done && !reopened(result, release)
		})
		if len(jobs) > 0 {
			return s, jobs, nil
		}
	}
	return surveyed{}, nil, nil
}

// reopened reports whether what was missing for a result is known now.
func reopened(result results.Result, release builddate.Release) bool {
	_, known := release.Phases[result.Lacks]
	return result.Lacks != "" && known
}

// surveyVersion finds the dates that are missing for the jobs, then builds.
func (r *rebuilder) surveyVersion(ctx context.Context, catalog *versions.Catalog, v versions.Version, jobs []job) error {
	c := r.config
	c.version, c.binaries = v, []string{everything}
	pins, err := c.jobs(catalog)
	if err != nil {
		return err
	}
	// A tree that nobody has asked for before the survey is not kept after it.
	trees, err := r.trees(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Stat(sourcetree.Dir(trees.Dir, v.String())); errors.Is(err, fs.ErrNotExist) {
		defer func() {
			if err := sourcetree.Forget(trees, v.String()); err != nil {
				r.report.Logf("%v", err)
			}
		}()
	}
	if err := r.search(ctx, v, pins, jobs); err != nil && ctx.Err() == nil {
		r.report.Logf("%v", err) // the jobs that need the date will say so
	}
	_, err = r.rebuild(ctx, v, jobs)
	return err
}
