// Package audit compares the tags of a repository in a registry with the images of a
// flavor, with the digests on record, and with earlier audits.
package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"golang.org/x/sync/errgroup"
)

// Audit describes an audit.
type Audit struct {
	Repository string // with its registry
	Expected   Expected
	// Signature and SBOM make an image without one a finding.
	Signature, SBOM bool
	// History is the file with the digests of earlier audits; "" for none. Tags that
	// an interrupted audit has checked within Resume are not checked again.
	History string
	Resume  time.Duration
	// Accept has tags whose digest of the last audit, or whose absence, is right.
	Accept   []string
	Parallel int // requests at a time
	Now      func() time.Time
}

// maxErrors is the number of failed checks after which an audit ends.
const maxErrors = 10

// run is a run of an audit.
type run struct {
	Audit
	repo    *registry.Repository
	history *history

	mu      sync.Mutex
	errs    []error
	deleted map[string]bool // tags that were deleted after they were listed
	report  Report
}

// Run audits the repository. If some tags could not be checked, the error says why, and
// the report has the findings of the others. The error does not tell of findings.
func (a Audit) Run(ctx context.Context, reporter *progress.Reporter) (_ Report, err error) {
	start := a.Now()
	h, err := openHistory(a.History, a.Repository, a.Now)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	repo, err := registry.OpenRepository(ctx, a.Repository)
	if err != nil {
		return Report{}, err
	}
	r := run{Audit: a, repo: repo, history: h, deleted: map[string]bool{}}
	r.report = Report{Repository: a.Repository, Flavor: a.Expected.flavor.Name, Images: a.Expected.inCatalog, Findings: []Finding{}}
	tags, err := repo.Tags(ctx)
	if err != nil {
		return Report{}, err
	}
	listed := map[string]bool{}
	for _, tag := range tags {
		listed[tag] = true
	}
	if err := r.accept(listed); err != nil {
		return Report{}, err
	}
	task := reporter.Start("checking tags of "+a.Repository, "tags", int64(len(tags)))
	digests, err := r.check(ctx, tags, task)
	if err != nil {
		task.Fail()
		return Report{}, err
	}
	task.Done()
	r.judge(digests, listed)
	if err := r.judgeAttached(ctx, digests, listed); err != nil {
		return Report{}, err
	}
	slices.SortStableFunc(r.report.Findings, compareFindings)
	r.report.Time, r.report.Seconds = a.Now().UTC(), a.Now().Sub(start).Seconds()
	return r.report, errors.Join(r.errs...)
}

// accept accepts the digests of the last audit.
func (r *run) accept(listed map[string]bool) error {
	accepted := map[string]string{}
	for _, tag := range r.Accept {
		m := r.history.tags[tag]
		switch {
		case m == nil:
			return cli.Usage("--accept: no earlier audit of %s in the history has the tag %q", r.Repository, tag)
		case listed[tag]:
			accepted[tag] = m.last
		default:
			accepted[tag] = ""
		}
	}
	return r.history.accept(accepted)
}

// check returns the digests of tags, and adds them to the history. It leaves out tags
// that are deleted meanwhile, and those that could not be checked.
func (r *run) check(ctx context.Context, tags []string, task *progress.Task) (map[string]string, error) {
	digests := map[string]string{}
	after := r.Now().Add(-r.Resume)
	err := r.each(ctx, tags, func(ctx context.Context, tag string) error {
		defer task.Add(1)
		switch r.Expected.class(tag) {
		case attachment, ignored:
			return nil // such tags may move
		}
		digest := r.history.digestSince(tag, after)
		resumed := digest != ""
		var err error
		if !resumed {
			if digest, err = r.repo.Digest(ctx, tag); err == nil {
				r.history.see(tag, digest)
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case errors.Is(err, registry.ErrNotFound):
			r.deleted[tag] = true
			return nil
		case err != nil:
			return err
		case resumed:
			r.report.Resumed++
		}
		digests[tag] = digest
		return nil
	})
	return digests, errors.Join(err, r.history.end(err == nil && len(r.errs) == 0))
}

// each calls do for all items, several at a time. It collects the errors of single
// items; too many of them, or the end of ctx, end it.
func (r *run) each(ctx context.Context, items []string, do func(context.Context, string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, r.Parallel))
	for _, item := range items {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			err := do(ctx, item)
			if err == nil || ctx.Err() != nil {
				return ctx.Err()
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.errs = append(r.errs, err); len(r.errs) >= maxErrors {
				return fmt.Errorf("%d checks failed: %w", maxErrors, errors.Join(r.errs...))
			}
			return nil
		})
	}
	return g.Wait()
}

// judgeAttached counts images without a signature or an SBOM.
func (r *run) judgeAttached(ctx context.Context, digests map[string]string, listed map[string]bool) error {
	indexes := map[string]bool{}
	for tag, digest := range digests {
		if r.Expected.class(tag) == known {
			indexes[digest] = true
		}
	}
	found, err := r.attachedTo(ctx, slices.Sorted(maps.Keys(indexes)), listed)
	if err != nil {
		return err
	}
	for _, tag := range slices.Sorted(maps.Keys(digests)) {
		a, ok := found[digests[tag]]
		if !ok || r.Expected.class(tag) != known {
			continue
		}
		if !a.signature {
			r.report.Unsigned++
			if r.Signature {
				r.add(Finding{Kind: Unsigned, Tag: tag, Digest: digests[tag], Reason: "no signature is attached"})
			}
		}
		if !a.sbom {
			r.report.WithoutSBOM++
			if r.SBOM {
				r.add(Finding{Kind: WithoutSBOM, Tag: tag, Digest: digests[tag], Reason: "no SBOM is attached"})
			}
		}
	}
	return nil
}

func (r *run) add(f Finding) { r.report.Findings = append(r.report.Findings, f) }
