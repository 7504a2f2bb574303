package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/debroot"
	"github.com/hyperkube/hyperkube/tools/internal/kubeplan"
	"github.com/hyperkube/hyperkube/tools/internal/kubetree"
)

// group does the jobs of one group.
func (r *rebuilder) group(ctx context.Context, v *opened, g group) ([]outcome, error) {
	cannot := func(err error) ([]outcome, error) {
		var outcomes []outcome
		for _, j := range g.jobs {
			outcomes = append(outcomes, r.tell(outcome{job: j, status: unbuildable, why: err.Error()}))
		}
		return outcomes, ctx.Err()
	}
	if g.err != nil {
		return cannot(g.err)
	}
	date, ok := v.release.Phases[g.phase]
	if !ok && !r.config.plan {
		return cannot(fmt.Errorf("the build date of the %s phase is not known; find it with -search", g.phase))
	}
	builds, err := v.site.Plan(ctx, kubeplan.Stamp{
		Version: v.tree.Version, Commit: v.release.Commit, CommitTime: v.release.CommitTime.Date, BuildDate: date.Date,
	}, g.platform.String(), g.targets)
	if err != nil {
		return cannot(err)
	}
	if r.config.plan {
		return nil, r.printPlan(builds)
	}
	var outcomes []outcome
	for _, b := range builds {
		part := group{phase: g.phase, platform: g.platform}
		for _, j := range g.jobs {
			if packageOf(b, j.binary) != "" {
				part.jobs = append(part.jobs, j)
			}
		}
		more, err := r.build(ctx, v, b, part)
		outcomes = append(outcomes, more...)
		if err != nil {
			return outcomes, err
		}
	}
	return outcomes, nil
}

// printPlan prints builds as a shell would run them.
func (r *rebuilder) printPlan(builds []kubeplan.Build) error {
	for _, b := range builds {
		words := []string{"cd", kubeplan.Quote(b.Dir), "&&", "env", "-i"}
		for _, e := range settings(b.Env) {
			words = append(words, kubeplan.Quote(e))
		}
		words = append(words, "go")
		for _, a := range b.Args {
			words = append(words, kubeplan.Quote(a))
		}
		if _, err := fmt.Fprintln(r.env.Out, strings.Join(words, " ")); err != nil {
			return err
		}
	}
	return nil
}

// build runs one go command of a plan, for all of the jobs that it serves.
func (r *rebuilder) build(ctx context.Context, v *opened, b kubeplan.Build, g group) ([]outcome, error) {
	fail := func(done []outcome, jobs []job, err error) ([]outcome, error) {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		for _, j := range jobs {
			done = append(done, r.tell(outcome{job: j, status: unbuildable, why: err.Error()}))
		}
		return done, nil
	}
	if why, err := r.unrepeatable(ctx, v, b); err != nil || why != "" {
		return fail(nil, g.jobs, cmp.Or(err, errors.New(why)))
	}
	site, err := r.room(ctx, v, b)
	if err != nil {
		return fail(nil, g.jobs, err)
	}
	turn, err := kubetree.TakeTurn(ctx, r.config.cache, r.report)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	// Somebody else may have built the same while this process waited.
	done, left, err := r.fromStore(g.jobs)
	if err != nil || len(left) == 0 {
		return done, err
	}
	step, err := r.newStep(v, site, b)
	if err != nil {
		return done, err
	}
	made, err := r.make(ctx, v, step)
	if err != nil {
		return fail(done, left, err)
	}
	for _, j := range left {
		o, err := r.compare(ctx, site, b, j)
		if err != nil {
			return done, err
		}
		if o.made = made; o.status == matched && r.statements != nil {
			statement, err := r.prove(ctx, v, step, g, j)
			if err != nil {
				return done, err
			}
			r.statements.Write(statement)
		}
		done = append(done, r.tell(o))
	}
	return done, nil
}

// room is where a build runs: on the machine itself where no C compiler has a
// hand in it, else in a root with the compiler of upstream's image.
func (r *rebuilder) room(ctx context.Context, v *opened, b kubeplan.Build) (kubeplan.Site, error) {
	site := v.site
	if b.Static() {
		return site, nil
	}
	if machine != "linux/amd64" {
		return site, fmt.Errorf("it is linked by a C compiler, and upstream's runs on linux/amd64; this machine is %s", machine)
	}
	root, err := debroot.Ensure(ctx, debroot.Config{
		Dir: filepath.Join(filepath.Dir(r.config.cache), "roots"), Log: r.env.Err,
		Mirror:         r.env.Getenv("HYPERKUBE_DEBIAN_MIRROR"),
		SecurityMirror: r.env.Getenv("HYPERKUBE_DEBIAN_SECURITY_MIRROR"),
	}, debroot.Spec{
		Suite: v.tree.Image.Suite, Security: true,
		// One root for both architectures, so that it is made once.
		Packages: []string{"gcc", "libc6-dev", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"},
	})
	if err != nil {
		return site, err
	}
	site.Room = root
	return site, nil
}

// compare holds what was built to the official sha256, and keeps what has it.
func (r *rebuilder) compare(ctx context.Context, site kubeplan.Site, b kubeplan.Build, j job) (outcome, error) {
	name, err := site.Output(b, packageOf(b, j.binary))
	if err != nil {
		return outcome{}, err
	}
	got, err := digestOf(name)
	if err != nil {
		return outcome{}, fmt.Errorf("comparing %s: %w", j, err)
	}
	if got != j.want {
		return outcome{job: j, status: differs, got: got}, nil
	}
	if r.config.store == "" {
		return outcome{job: j, status: matched, got: got}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return outcome{}, fmt.Errorf("keeping %s: %w", j, err)
	}
	defer f.Close()
	if err := r.store.Put(ctx, j.want, 0, name, f); err != nil {
		return outcome{}, err
	}
	return outcome{job: j, status: matched, got: got}, nil
}

// packageOf is the package of a build that makes a binary.
func packageOf(b kubeplan.Build, binary string) string {
	for _, pkg := range b.Packages() {
		if path.Base(pkg) == binary {
			return pkg
		}
	}
	return ""
}
