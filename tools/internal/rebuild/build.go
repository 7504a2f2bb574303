package rebuild

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/provenance"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/builder"
	"github.com/hyperkube/hyperkube/versions"
)

// build runs one go command of a plan for all jobs whose binaries it builds.
func (r Rebuilder) build(ctx context.Context, w *Workspace, b buildplan.Build, phase string, jobs []Job) ([]Outcome, error) {
	lock, err := w.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if reason, err := w.NonDeterministic(ctx, b); err != nil || reason != "" {
		return r.Fail(ctx, jobs, cmp.Or(err, errors.New(reason)), Failure{Transient: err != nil})
	}
	// Another process may have built the same while this one waited.
	done, left, err := r.fromStore(jobs)
	if err != nil || len(left) == 0 {
		return done, err
	}
	step, err := w.Step(ctx, b)
	if err != nil {
		more, err := r.Fail(ctx, left, err, Failure{Transient: true})
		return append(done, more...), err
	}
	record, err := step.Run(ctx)
	if err != nil {
		more, err := r.Fail(ctx, left, err, Failure{Transient: isTransient(err)})
		return append(done, more...), err
	}
	record.Commit = w.Release.Commit.Hash
	for _, j := range left {
		o, err := r.compare(ctx, step, j)
		if err != nil {
			return done, err
		}
		o.Build = record
		if o.Status == Matched && r.Provenance != nil {
			if err := r.attest(ctx, w, step, phase, j); err != nil {
				return done, err
			}
		}
		done = append(done, r.report(o))
	}
	return done, nil
}

// compare compares a built binary with the official sha256 and keeps a match in
// the store.
func (r Rebuilder) compare(ctx context.Context, step *builder.Step, j Job) (Outcome, error) {
	name, err := step.Output(step.Build.Package(j.Binary))
	if err != nil {
		return Outcome{}, err
	}
	f, err := os.Open(name)
	if err != nil {
		return Outcome{}, fmt.Errorf("comparing %s: %w", j, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return Outcome{}, fmt.Errorf("comparing %s: %w", j, err)
	}
	o := Outcome{Job: j, Status: Matched, Got: versions.NewDigest([sha256.Size]byte(h.Sum(nil)))}
	if o.Got != j.Want {
		o.Status = Differs
		o.Path, err = r.keepMismatch(name, j)
	} else if r.Store != nil {
		if _, err = f.Seek(0, io.SeekStart); err == nil {
			err = r.Store.Put(ctx, j.Want, 0, name, f)
		}
	}
	return o, err
}

// attest writes the provenance statement of a match.
func (r Rebuilder) attest(ctx context.Context, w *Workspace, step *builder.Step, phase string, j Job) error {
	statement, err := step.Attest(ctx, provenance.Statement{
		Binary: j.Binary, Platform: j.Platform.String(), SHA256: j.Want.String(), Phase: phase, Commit: w.Release.Commit.Hash,
		CommitTime: w.Release.CommitTime.Date.Format(redate.Layout),
		BuildDate:  w.Release.Phases[phase].Date.Format(redate.Layout),
	})
	if err != nil {
		return err
	}
	_, err = r.Provenance.Write(statement)
	return err
}
