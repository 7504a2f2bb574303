package rebuild

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/versions"
)

// group has the jobs of one phase of the release and one platform. The version's
// scripts plan their builds in one run.
type group struct {
	phase    string
	platform versions.Platform
	jobs     []Job
	targets  []string
	err      error // why the jobs have no target
}

// groups groups jobs and keeps their order.
func (w *Workspace) groups(jobs []Job) []group {
	var groups []group
	for _, j := range jobs {
		phase, target, err := w.Layout.Find(j.Binary)
		i := slices.IndexFunc(groups, func(g group) bool {
			return g.phase == phase && g.platform == j.Platform && (g.err == nil) == (err == nil)
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{phase: phase, platform: j.Platform, err: err})
		}
		groups[i].jobs = append(groups[i].jobs, j)
		groups[i].targets = append(groups[i].targets, target)
	}
	return groups
}

// Build rebuilds binaries of an open workspace.
func (r Rebuilder) Build(ctx context.Context, w *Workspace, jobs []Job) ([]Outcome, error) {
	var done []Outcome
	for _, g := range w.groups(jobs) {
		outcomes, err := r.buildGroup(ctx, w, g)
		done = append(done, outcomes...)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (r Rebuilder) buildGroup(ctx context.Context, w *Workspace, g group) ([]Outcome, error) {
	if g.err == nil {
		if _, ok := w.Release.Phases[g.phase]; !ok {
			return r.Fail(ctx, g.jobs, r.missingDate(g.phase), Failure{MissingDate: g.phase, Transient: r.Exhausted[g.phase] == ""})
		}
	}
	builds, err := w.plan(ctx, g)
	if err != nil {
		return r.Fail(ctx, g.jobs, err, Failure{Transient: g.err == nil && isTransient(err)})
	}
	var outcomes []Outcome
	left := slices.Clone(g.jobs)
	for _, b := range builds {
		var jobs []Job
		left = slices.DeleteFunc(left, func(j Job) bool {
			built := b.Package(j.Binary) != ""
			if built {
				jobs = append(jobs, j)
			}
			return built
		})
		more, err := r.build(ctx, w, b, g.phase, jobs)
		outcomes = append(outcomes, more...)
		if err != nil {
			return outcomes, err
		}
	}
	more, err := r.Fail(ctx, left, errors.New("the version's scripts plan no build of it"), Failure{})
	return append(outcomes, more...), err
}

func (w *Workspace) plan(ctx context.Context, g group) ([]buildplan.Build, error) {
	if g.err != nil {
		return nil, g.err
	}
	return w.Env.Plan(ctx, buildplan.Stamp{
		Version: w.Tree.Version, Commit: w.Release.Commit.Hash, CommitTime: w.Release.CommitTime.Date, BuildDate: w.Release.Phases[g.phase].Date,
	}, g.platform.String(), g.targets)
}

func (r Rebuilder) missingDate(phase string) error {
	if ranges, ok := r.Exhausted[phase]; ok {
		return fmt.Errorf("the build date of the %s phase is unknown, and not found in %s", phase, ranges)
	}
	return fmt.Errorf("the build date of the %s phase is unknown. Fix: run hk rebuild search", phase)
}
