// Package rebuild builds official Kubernetes binaries from source, bit for bit,
// and puts those with the sha256 of the lock into the store.
//
// Its parts are package builder, which runs the go commands of a build, package
// search, which finds unknown build dates, and package survey, which rebuilds
// version after version.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/builder"
	"github.com/hyperkube/hyperkube/tools/internal/redact"
	"github.com/hyperkube/hyperkube/tools/internal/shell"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// Rebuilder rebuilds binaries.
type Rebuilder struct {
	Builder    builder.Config
	Dates      builddate.Database
	Store      *store.Store      // receives matching binaries; nil to keep none
	Force      bool              // build binaries that are in the store, too
	Report     func(Outcome)     // called once for each job, as soon as it is done
	Provenance io.Writer         // receives a statement for each match; nil for none
	Exhausted  map[string]string // ranges that were searched without success, by phase
}

// Run rebuilds binaries of one version. The error is for failures that belong to
// no single job.
func (r Rebuilder) Run(ctx context.Context, version versions.Version, jobs []Job) ([]Outcome, error) {
	done, left, err := r.fromStore(jobs)
	if err != nil || len(left) == 0 {
		return done, err
	}
	w, err := r.Open(ctx, version)
	if err != nil {
		return done, err
	}
	defer r.Close(w)
	outcomes, err := r.Build(ctx, w, left)
	return append(done, outcomes...), err
}

// Plan writes the go commands of jobs as shell commands.
func (r Rebuilder) Plan(ctx context.Context, out io.Writer, version versions.Version, jobs []Job) error {
	w, err := r.Open(ctx, version)
	if err != nil {
		return err
	}
	defer r.Close(w)
	var errs []error
	for _, g := range w.groups(jobs) {
		builds, err := w.plan(ctx, g)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if date, ok := w.Release.Phases[g.phase]; !ok {
			r.Builder.Progress.Logf("the build date of the %s phase is unknown, the plan has %s", g.phase, date.Date.Format(redate.Layout))
		}
		for _, b := range builds {
			if _, err := fmt.Fprintln(out, shellCommand(b)); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

func shellCommand(b buildplan.Build) string {
	command := "cd " + shell.Quote(b.Dir) + " && env -i"
	for _, v := range b.Settings() {
		command += " " + shell.Quote(v)
	}
	command += " go"
	for _, a := range b.Args {
		command += " " + shell.Quote(a)
	}
	return command
}

// Workspace has everything that builds of one version need.
type Workspace struct {
	*builder.Workspace
	Release builddate.Release
}

// Open prepares the sources, the toolchain and the build dates of a version.
func (r Rebuilder) Open(ctx context.Context, version versions.Version) (*Workspace, error) {
	dates, err := r.Dates.Read()
	if err != nil {
		return nil, err
	}
	w, err := r.Builder.Open(ctx, version.String())
	if err != nil {
		return nil, err
	}
	release, err := complete(dates.Release(version), w)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return &Workspace{w, release}, nil
}

// Close closes w and logs errors.
func (r Rebuilder) Close(w *Workspace) {
	if err := w.Close(); err != nil {
		r.Builder.Progress.Logf("%v", err)
	}
}

// complete fills in the commit and its time from the module proxy.
func complete(release builddate.Release, w *builder.Workspace) (builddate.Release, error) {
	if release.Commit.Hash == "" {
		release.Commit = builddate.Commit{Hash: w.Tree.Main.Commit, Source: builddate.Proxy}
	}
	if release.Commit.Hash == "" {
		return release, fmt.Errorf("finding the commit of %s: not in %s, and the module proxy does not name it", release.Version, builddate.File)
	}
	if release.CommitTime.Date.IsZero() {
		release.CommitTime = builddate.Timestamp{Date: w.Tree.Main.Time, Source: builddate.Proxy}
	}
	return release, nil
}

// fromStore reports the jobs whose binaries are in the store and returns those
// that are left. A corrupt file in the store counts as missing.
func (r Rebuilder) fromStore(jobs []Job) (done []Outcome, left []Job, err error) {
	if r.Force || r.Store == nil {
		return nil, jobs, nil
	}
	for _, j := range jobs {
		has, err := r.Store.Has(j.Want)
		if err != nil {
			return done, nil, err
		}
		if has && r.Store.Verify(j.Want) == nil {
			done = append(done, r.report(Outcome{Job: j, Status: Stored}))
		} else {
			left = append(left, j)
		}
	}
	return done, left, nil
}

func (r Rebuilder) report(o Outcome) Outcome {
	o.Reason = redact.URLs(oneLine(o.Reason))
	if r.Report != nil {
		r.Report(o)
	}
	return o
}

// Fail reports jobs that cannot be built. If ctx has ended, it reports none and
// returns the error of ctx.
func (r Rebuilder) Fail(ctx context.Context, jobs []Job, err error, f Failure) ([]Outcome, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var outcomes []Outcome
	for _, j := range jobs {
		outcomes = append(outcomes, r.report(Outcome{Job: j, Status: Unbuildable, Reason: err.Error(), Failure: f}))
	}
	return outcomes, nil
}
