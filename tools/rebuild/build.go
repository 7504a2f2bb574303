package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// build runs one go command of a plan, for all of the jobs that it serves.
func (r *rebuilder) build(ctx context.Context, v *opened, b buildplan.Build, g group) ([]outcome, error) {
	turn, err := sourcetree.LockCompile(ctx, r.config.cache, r.report)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	if why, err := r.unrepeatable(ctx, v, b); err != nil || why != "" {
		return r.fail(ctx, g.jobs, cmp.Or(err, errors.New(why)), trouble{passing: err != nil})
	}
	site, err := r.room(ctx, v, b)
	if err != nil {
		return r.fail(ctx, g.jobs, err, trouble{passing: true})
	}
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
		more, err := r.fail(ctx, left, err, trouble{passing: passing(err)})
		return append(done, more...), err
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
func (r *rebuilder) room(ctx context.Context, v *opened, b buildplan.Build) (buildplan.Site, error) {
	site := v.site
	if b.Static() {
		return site, nil
	}
	if machine != "linux/amd64" {
		return site, fmt.Errorf("it is linked by a C compiler, and upstream's runs on linux/amd64; this machine is %s", machine)
	}
	root, err := debian.Ensure(ctx, debian.Config{
		Dir: filepath.Join(filepath.Dir(r.config.cache), "roots"), Log: r.env.Err,
		Mirror:         r.env.Getenv("HYPERKUBE_DEBIAN_MIRROR"),
		SecurityMirror: r.env.Getenv("HYPERKUBE_DEBIAN_SECURITY_MIRROR"),
	}, debian.Spec{
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
func (r *rebuilder) compare(ctx context.Context, site buildplan.Site, b buildplan.Build, j job) (outcome, error) {
	name, err := site.Output(b, packageOf(b, j.binary))
	if err != nil {
		return outcome{}, err
	}
	got, err := digestOf(name)
	if err != nil {
		return outcome{}, fmt.Errorf("comparing %s: %w", j, err)
	}
	if got != j.want {
		kept, err := r.keepDiffering(name, j)
		return outcome{job: j, status: differs, got: got, kept: kept}, err
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
func packageOf(b buildplan.Build, binary string) string {
	for _, pkg := range b.Packages() {
		if path.Base(pkg) == binary {
			return pkg
		}
	}
	return ""
}
