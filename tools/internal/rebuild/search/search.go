// Package search finds unknown build dates of official binaries. It builds the
// smallest binary of a phase once, with placeholders for timestamps, and computes
// the sha256 that the binary would have with each candidate, until one is the
// official sha256.
package search

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/versions"
)

// placeholder has timestamps of no release, which can be found again in a binary.
var placeholder = candidate{
	build:  time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC),
	commit: time.Date(2001, 2, 3, 7, 8, 9, 0, time.UTC),
}

// Searcher finds build dates.
type Searcher struct {
	Rebuilder rebuild.Rebuilder // verifies results and has the database of build dates
	Platform  versions.Platform // of the binaries to search with
	Phase     string            // phase to search even if its date is known; "" for all unknown phases
	Range     Range             // build dates to search; zero for the usual ones
	Out       io.Writer
}

// Run finds the unknown build dates of a version, verifies each with a build and
// adds it to the database. The jobs pinned have official sha256s to search with.
// If needed is not nil, phases that none of its jobs needs are skipped. Run
// returns the ranges that it searched without success, by phase.
func (s Searcher) Run(ctx context.Context, version versions.Version, pinned, needed []rebuild.Job) (map[string]string, error) {
	if err := s.Rebuilder.Dates.Writable(); err != nil {
		return nil, err
	}
	w, err := s.Rebuilder.Open(ctx, version)
	if err != nil {
		return nil, err
	}
	defer s.Rebuilder.Close(w)
	exhausted := map[string]string{}
	var errs []error
	for _, phase := range w.Layout.Phases {
		if s.Phase != "" && s.Phase != phase.Name {
			continue
		}
		suspect := phase.Name == "server" && commitTimeSuspect(w.Release)
		if needed != nil && !suspect && !needsPhase(w.Layout, phase.Name, needed) {
			continue
		}
		if known, ok := w.Release.Phases[phase.Name]; ok && s.Phase == "" && !suspect {
			fmt.Fprintf(s.Out, "%s %s: known, %s\n", version, phase.Name, known.Date.Format(redate.Layout))
			continue
		}
		ranges, err := s.searchPhase(ctx, w, phase.Name, pinned)
		if err != nil {
			errs = append(errs, fmt.Errorf("searching the build date of the %s phase of %s: %w", phase.Name, version, err))
		}
		if ranges != "" {
			exhausted[phase.Name] = ranges
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return exhausted, errors.Join(errs...)
}

// needsPhase reports whether one of the jobs is built in a phase.
func needsPhase(layout buildplan.Layout, phase string, jobs []rebuild.Job) bool {
	return slices.ContainsFunc(jobs, func(j rebuild.Job) bool {
		found, _, err := layout.Find(j.Binary)
		return err == nil && found == phase
	})
}

// searchPhase returns the ranges that it searched if no candidate matches.
func (s Searcher) searchPhase(ctx context.Context, w *rebuild.Workspace, phase string, pinned []rebuild.Job) (exhausted string, err error) {
	job, program, err := s.buildProbe(ctx, w, phase, pinned)
	if err != nil {
		return "", err
	}
	if !program.Depends(0) {
		return "", fmt.Errorf("%s does not depend on the build date", job)
	}
	var searched []string
	for _, space := range searchSpaces(w.Release, phase, s.Range) {
		if !program.Depends(1) {
			space.commit, space.lag = single(w.Release.CommitTime.Date), offset{}
		}
		start := time.Now()
		match, tried, err := s.try(ctx, job, program, space)
		if err != nil {
			return "", err
		}
		speed, found := "all tried before", "not found"
		if tried > 0 {
			speed = fmt.Sprintf("%.0f/s", float64(tried)/time.Since(start).Seconds())
		}
		if match != nil {
			found = "found " + match.String()
		}
		fmt.Fprintf(s.Out, "%s %s: tried %s with %s, %s: %s\n", job.Version, phase, space, job.Binary, speed, found)
		if match != nil {
			return "", s.verify(ctx, w, phase, job, *match)
		}
		searched = append(searched, space.String())
	}
	exhausted = strings.Join(searched, "; ")
	return exhausted, fmt.Errorf("not found in %s. Fix: search another range with --phase, --from and --to", exhausted)
}

// buildProbe builds, with placeholders for timestamps, the binary of a phase
// that has the fewest packages: the smaller it is, the more candidates can be
// tried.
func (s Searcher) buildProbe(ctx context.Context, w *rebuild.Workspace, phase string, pinned []rebuild.Job) (job rebuild.Job, _ *redate.Program, err error) {
	official := map[string]rebuild.Job{}
	var targets []string
	for _, j := range pinned {
		if built, target, err := w.Layout.Find(j.Binary); err == nil && built == phase && j.Platform == s.Platform {
			official[j.Binary] = j
			targets = append(targets, target)
		}
	}
	if len(targets) == 0 {
		return job, nil, fmt.Errorf("no official sha256 of a binary of this phase in %s", versions.LockFile)
	}
	builds, err := w.Env.Plan(ctx, buildplan.Stamp{
		Version: w.Tree.Version, Commit: w.Release.Commit.Hash, CommitTime: placeholder.commit, BuildDate: placeholder.build,
	}, s.Platform.String(), targets)
	if err != nil {
		return job, nil, err
	}
	lock, err := w.Lock(ctx)
	if err != nil {
		return job, nil, err
	}
	defer lock.Close()
	build, err := w.Smallest(ctx, builds)
	if err != nil {
		return job, nil, err
	}
	step, err := w.Step(ctx, build)
	if err != nil {
		return job, nil, err
	}
	if err := step.Compile(ctx); err != nil {
		return job, nil, err
	}
	inputs, err := step.LinkInputs(ctx)
	if err != nil {
		return job, nil, err
	}
	name, err := step.Output(build.Packages()[0])
	if err != nil {
		return job, nil, err
	}
	file, err := os.ReadFile(name)
	if err != nil {
		return job, nil, err
	}
	job = official[build.Binaries()[0]]
	program, err := redate.New(file, inputs, placeholder.build.Format(redate.Layout), placeholder.commit.Format(redate.Layout))
	if err != nil {
		return job, nil, fmt.Errorf("preparing %s for other dates: %w", job.Binary, err)
	}
	return job, program, nil
}

// verify builds a binary with the timestamps of a match and adds them to the
// database.
func (s Searcher) verify(ctx context.Context, w *rebuild.Workspace, phase string, job rebuild.Job, match candidate) error {
	before := w.Release
	w.Release = before.With(phase, match.build, match.commit)
	r := s.Rebuilder
	r.Force = true
	// Printed, but not recorded: the job was not requested.
	r.Report = func(o rebuild.Outcome) { fmt.Fprintln(s.Out, o) }
	outcomes, err := r.Build(ctx, w, []rebuild.Job{job})
	if err == nil && outcomes[0].Status != rebuild.Matched {
		err = fmt.Errorf("verifying the timestamps that were found: %s", outcomes[0])
	}
	if err != nil {
		w.Release = before
		return err
	}
	return s.Rebuilder.Dates.Add(ctx, w.Release, phase)
}
