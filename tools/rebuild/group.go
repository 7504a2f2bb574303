package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/shell"
)

// group does the jobs of one group.
func (r *rebuilder) group(ctx context.Context, v *opened, g group) ([]outcome, error) {
	if g.err != nil {
		return r.fail(ctx, g.jobs, g.err, trouble{})
	}
	date, ok := v.release.Phases[g.phase]
	switch {
	case !ok && r.config.plan:
		r.report.Logf("the build date of the %s phase is not known: the plan has %s in its place", g.phase, date.Date.Format(redate.Layout))
	case !ok:
		return r.fail(ctx, g.jobs, r.noDate(g.phase), trouble{lacks: g.phase, passing: r.inVain[g.phase] == ""})
	}
	builds, err := v.site.Plan(ctx, buildplan.Stamp{
		Version: v.tree.Version, Commit: v.release.Commit, CommitTime: v.release.CommitTime.Date, BuildDate: date.Date,
	}, g.platform.String(), g.targets)
	if err != nil {
		return r.fail(ctx, g.jobs, err, trouble{passing: passing(err)})
	}
	if r.config.plan {
		return nil, r.printPlan(builds)
	}
	var outcomes []outcome
	left := slices.Clone(g.jobs)
	for _, b := range builds {
		part := group{phase: g.phase, platform: g.platform}
		left = slices.DeleteFunc(left, func(j job) bool {
			built := packageOf(b, j.binary) != ""
			if built {
				part.jobs = append(part.jobs, j)
			}
			return built
		})
		more, err := r.build(ctx, v, b, part)
		outcomes = append(outcomes, more...)
		if err != nil {
			return outcomes, err
		}
	}
	more, err := r.fail(ctx, left, errors.New("the version's scripts plan no build of it"), trouble{})
	return append(outcomes, more...), err
}

// noDate says that a phase's date is missing, and where it was searched.
func (r *rebuilder) noDate(phase string) error {
	if where, ok := r.inVain[phase]; ok {
		return fmt.Errorf("the build date of the %s phase is not known, and not found in %s", phase, where)
	}
	return fmt.Errorf("the build date of the %s phase is not known; find it with -search", phase)
}

// fail says of jobs that they cannot be done. What was interrupted is no news of
// them.
func (r *rebuilder) fail(ctx context.Context, jobs []job, err error, t trouble) ([]outcome, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var outcomes []outcome
	for _, j := range jobs {
		outcomes = append(outcomes, r.tell(outcome{job: j, status: unbuildable, why: err.Error(), trouble: t}))
	}
	return outcomes, nil
}

// printPlan prints builds as a shell would run them.
func (r *rebuilder) printPlan(builds []buildplan.Build) error {
	for _, b := range builds {
		words := []string{"cd", shell.Quote(b.Dir), "&&", "env", "-i"}
		for _, e := range settings(b.Env) {
			words = append(words, shell.Quote(e))
		}
		words = append(words, "go")
		for _, a := range b.Args {
			words = append(words, shell.Quote(a))
		}
		if _, err := fmt.Fprintln(r.env.Out, strings.Join(words, " ")); err != nil {
			return err
		}
	}
	return nil
}
