package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/versions"
)

// Dates that no release has, to be found again in what is built with them.
var (
	placeholderBuild  = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	placeholderCommit = time.Date(2001, 2, 3, 7, 8, 9, 0, time.UTC)
)

// search finds the build dates that are not known of a version, phase by
// phase, and keeps them. Each find is verified by a build. Where it is only for
// some jobs, the phases that these do not need are left out.
func (r *rebuilder) search(ctx context.Context, version versions.Version, pins, only []job) error {
	if err := r.checkNeeds(version); err != nil {
		return err
	}
	dates, err := r.dates()
	if err != nil {
		return err
	}
	v, err := r.open(ctx, version, dates.Release(version))
	if err != nil {
		return err
	}
	defer r.close(v)
	r.inVain = map[string]string{}
	var errs []error
	for _, phase := range v.layout.Phases {
		if r.config.phase != "" && r.config.phase != phase.Name {
			continue
		}
		doubt := phase.Name == "server" && doubtful(v.release)
		if only != nil && !doubt && !v.needs(phase.Name, only) {
			continue
		}
		if known, ok := v.release.Phases[phase.Name]; ok && r.config.phase == "" && !doubt {
			fmt.Fprintf(r.env.Out, "%s %s: known, %s\n", version, phase.Name, known.Date.Format(redate.Layout))
			continue
		}
		if err := r.searchPhase(ctx, v, phase.Name, pins); err != nil {
			errs = append(errs, fmt.Errorf("searching the date of the %s phase of %s: %w", phase.Name, version, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

// needs says whether one of the jobs is built in a phase.
func (o *opened) needs(phase string, jobs []job) bool {
	return slices.ContainsFunc(jobs, func(j job) bool {
		in, _, err := o.layout.Find(j.binary)
		return err == nil && in == phase
	})
}

func (r *rebuilder) searchPhase(ctx context.Context, v *opened, phase string, pins []job) error {
	target, program, err := r.rehearse(ctx, v, phase, pins)
	if err != nil {
		return err
	}
	if !program.Depends(0) {
		return fmt.Errorf("%s does not depend on the build date", target)
	}
	var searched []string
	for _, q := range r.questions(v.release, phase) {
		if !program.Depends(1) {
			q.commit, q.lag = only(v.release.CommitTime.Date), [2]int64{}
		}
		start := time.Now()
		found, tried, err := r.try(ctx, v, target, program, q)
		if err != nil {
			return err
		}
		how := "all tried before"
		if tried > 0 {
			how = fmt.Sprintf("%.0f a second", float64(tried)/time.Since(start).Seconds())
		}
		fmt.Fprintf(r.env.Out, "%s %s: tried %s with %s, %s: %s\n", v.tree.Version, phase, q, target.binary, how, found)
		if found.ok {
			return r.keep(ctx, v, phase, target, found)
		}
		searched = append(searched, q.String())
	}
	r.inVain[phase] = strings.Join(searched, "; ")
	return fmt.Errorf("not found in %s; widen the window with -from and -to", r.inVain[phase])
}

// rehearse builds, with placeholders for dates, the program of a phase that is
// made of the fewest packages: the smaller, the more dates can be tried.
func (r *rebuilder) rehearse(ctx context.Context, v *opened, phase string, pins []job) (job, *redate.Program, error) {
	fail := func(err error) (job, *redate.Program, error) { return job{}, nil, err }
	var targets []string
	for _, name := range v.layout.Binaries(phase) {
		if slices.ContainsFunc(pins, func(j job) bool { return j.binary == name && j.platform == r.config.platforms[0] }) {
			_, target, err := v.layout.Find(name)
			if err != nil {
				return fail(err)
			}
			targets = append(targets, target)
		}
	}
	if len(targets) == 0 {
		return fail(fmt.Errorf("%s has no official sha256 of anything that this phase builds", versions.LockFile))
	}
	builds, err := v.site.Plan(ctx, buildplan.Stamp{
		Version: v.tree.Version, Commit: v.release.Commit, CommitTime: placeholderCommit, BuildDate: placeholderBuild,
	}, r.config.platforms[0].String(), targets)
	if err != nil {
		return fail(err)
	}
	turn, err := sourcetree.LockCompile(ctx, r.config.cache, r.report)
	if err != nil {
		return fail(err)
	}
	defer turn.Close()
	build, err := r.smallest(ctx, v, builds)
	if err != nil {
		return fail(err)
	}
	site, err := r.room(ctx, v, build)
	if err != nil {
		return fail(err)
	}
	step, err := r.newStep(v, site, build)
	if err != nil {
		return fail(err)
	}
	if err := r.compile(ctx, step); err != nil {
		return fail(err)
	}
	inputs, err := r.linkInputs(ctx, step)
	if err != nil {
		return fail(err)
	}
	pkg := build.Packages()[0]
	name, err := site.Output(build, pkg)
	if err != nil {
		return fail(err)
	}
	file, err := os.ReadFile(name)
	if err != nil {
		return fail(err)
	}
	program, err := redate.New(file, inputs, placeholderBuild.Format(redate.Layout), placeholderCommit.Format(redate.Layout))
	if err != nil {
		return fail(fmt.Errorf("preparing %s to try dates: %w", path.Base(pkg), err))
	}
	i := slices.IndexFunc(pins, func(j job) bool { return j.binary == path.Base(pkg) && j.platform == r.config.platforms[0] })
	return pins[i], program, nil
}

// smallest is the build of the one program that has the fewest packages.
func (r *rebuilder) smallest(ctx context.Context, v *opened, builds []buildplan.Build) (buildplan.Build, error) {
	var best buildplan.Build
	var fewest int64
	for _, b := range builds {
		flags := b.Args[:len(b.Args)-len(b.Packages())]
		for _, pkg := range b.Packages() {
			one := b
			one.Args = append(flags[:len(flags):len(flags)], pkg)
			step, err := r.newStep(v, v.site, one)
			if err != nil {
				return best, err
			}
			n, err := step.countPackages(ctx)
			if err != nil {
				return best, err
			}
			if fewest == 0 || n < fewest {
				best, fewest = one, n
			}
		}
	}
	return best, nil
}

// linkInputs links and learns what the go command made the build ID of.
func (r *rebuilder) linkInputs(ctx context.Context, s *step) (inputs redate.Inputs, err error) {
	b := s.build
	b.Env = append(b.Env[:len(b.Env):len(b.Env)], "GODEBUG=gocachehash=1")
	err = s.run(s.site.Command(ctx, b, s.cache, "-p=1"), func(stderr io.Reader, said func(string)) error {
		var err error
		inputs, err = redate.ReadInputs(stderr, b.Packages()[0], said)
		return err
	})
	if err != nil {
		err = fmt.Errorf("linking %s: %w", strings.Join(programs(b), ", "), err)
	}
	return inputs, err
}

// keep verifies a find by a real build and writes it to the file of dates.
func (r *rebuilder) keep(ctx context.Context, v *opened, phase string, target job, found found) error {
	before := v.release
	v.release = v.release.With(phase, found.build, found.commit)
	verify := *r
	verify.config.again = true
	// It is a means to the date, and no result that anybody asked for.
	verify.say = func(o outcome) { fmt.Fprintln(r.env.Out, o) }
	outcomes, err := verify.group(ctx, v, v.groups([]job{target})[0])
	if err == nil && outcomes[0].status != matched {
		err = fmt.Errorf("a build with the date that was found is not the official one: %s", outcomes[0])
	}
	if err != nil {
		v.release = before
		return err
	}
	return r.learn(ctx, v.release, phase)
}
