// Package registry pushes images to container registries, pulls manifests and
// blobs, and checks whether images exist. No other package connects to a
// registry.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Push describes a push of a layout.
type Push struct {
	// Repository must include its registry: clients complete a bare name with a
	// public registry.
	Repository string
	Tags       []string
	// ContentTag, unless empty, is a tag derived from the content of the image. If
	// the repository has it with the digest of the image, nothing is uploaded. If it
	// has another digest, it stays without Force: other images may have this content.
	ContentTag string
	// Fetch, unless nil, adds a layer to the layout that neither the layout nor the
	// repository has.
	Fetch func(context.Context, v1.Descriptor) error
	// Referrers are documents about manifests of the layout.
	Referrers []Referrer
	Force     bool // move tags that exist with another digest
	DryRun    bool // only read from the registry
}

// Validate returns an error, which exits with [cli.ExitUsage], for a repository
// without a registry and for invalid tags: a registry may take them for other paths.
func (p Push) Validate() error {
	if _, err := name.NewRepository(p.Repository, name.StrictValidation); err != nil {
		return cli.Usage("--repository: %w", err)
	}
	for _, tag := range p.Tags {
		if _, err := name.NewTag(p.Repository+":"+tag, name.StrictValidation); err != nil {
			return cli.Usage("--tag: %q is not a tag: %w", tag, err)
		}
	}
	return nil
}

// Run pushes the index or image of a layout by digest, attaches the referrers, and tags
// it last, so that a tag never refers to an incomplete image. Before it sends anything, it verifies
// every blob of the layout, and checks that no tag exists with another digest; the
// error for such a tag exits with [cli.ExitDrift]. Layers that the repository has
// are not uploaded again, and may be absent from the layout.
func (p Push) Run(ctx context.Context, reporter *progress.Reporter, content layout.Content) (Result, error) {
	if err := p.Validate(); err != nil {
		return Result{}, err
	}
	repo, err := name.NewRepository(p.Repository, name.StrictValidation)
	if err != nil {
		return Result{}, err
	}
	puller, err := newPushPuller(ctx, repo)
	if err != nil {
		return Result{}, fmt.Errorf("pushing to %s: %w", repo, httplimit.EscapeError(err))
	}
	r := run{p, repo, puller, reporter}
	result := Result{Repository: p.Repository, Digest: content.Digest.String(), DryRun: p.DryRun}
	var tagErr error
	if result.Tags, tagErr = r.checkTags(ctx, content.Digest); tagErr != nil && !p.DryRun {
		return Result{}, tagErr
	}
	complete := p.ContentTag != "" && result.Tags[len(result.Tags)-1].Status == StatusExists
	if complete {
		reporter.Logf("%s:%s exists: nothing to push", repo, p.ContentTag)
	} else if err := r.verify(ctx, content); err != nil {
		return Result{}, err
	}
	if p.DryRun {
		if !complete {
			err = r.checkContent(ctx, content, &result)
		}
		var attachErr error
		result.Referrers, attachErr = r.attach(ctx, content)
		return result, errors.Join(err, attachErr, tagErr)
	}
	var image remote.Taggable = content.Index
	if content.Index == nil {
		image = content.Image
	}
	if !complete {
		if err := upload(ctx, reporter, repo.Digest(result.Digest), image); err != nil {
			return Result{}, fmt.Errorf("pushing %s@%s: %w", repo, result.Digest, httplimit.EscapeError(err))
		}
	}
	if result.Referrers, err = r.attach(ctx, content); err != nil {
		return Result{}, err
	}
	// Check again: an upload may take minutes.
	if result.Tags, err = r.checkTags(ctx, content.Digest); err != nil {
		return Result{}, err
	}
	for i, tag := range result.Tags {
		switch tag.Status {
		case StatusExists:
			continue
		case StatusKept:
			reporter.Logf("%s:%s exists and stays %s, an image with the same files", repo, tag.Tag, tag.Previous)
			continue
		}
		if err := remote.Tag(repo.Tag(tag.Tag), image, options(ctx)...); err != nil {
			return Result{}, fmt.Errorf("tagging %s:%s: %w", repo, tag.Tag, httplimit.EscapeError(err))
		}
		result.Tags[i].Status = StatusSent
		if complete {
			reporter.Logf("tagged %s:%s", repo, tag.Tag)
		}
	}
	return result, nil
}

// run is a run of a push.
type run struct {
	Push
	repo     name.Repository
	puller   *remote.Puller
	reporter *progress.Reporter
}

// verify verifies the blobs of the layout. It fetches layers that neither the layout
// nor the repository has.
func (r run) verify(ctx context.Context, content layout.Content) error {
	for _, desc := range content.Blobs {
		err := content.VerifyBlob(ctx, desc)
		if !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			continue
		}
		exists, existsErr := r.hasBlob(ctx, desc)
		switch {
		case existsErr != nil:
			return existsErr
		case exists:
		case r.Fetch == nil:
			return err
		case !r.DryRun:
			r.reporter.Logf("fetching layer %s, %d bytes", desc.Digest, desc.Size)
			if err := r.Fetch(ctx, desc); err != nil {
				return fmt.Errorf("fetching layer %s: %w", desc.Digest, err)
			}
		}
	}
	return nil
}

// checkTags returns the tags to set, the content tag last, and those that exist. An
// existing tag with another digest is an error without Force, unless it is the
// content tag.
func (r run) checkTags(ctx context.Context, digest v1.Hash) ([]Tag, error) {
	var tags []Tag
	var errs []error
	names := r.Tags
	if r.ContentTag != "" {
		names = append(names[:len(names):len(names)], r.ContentTag)
	}
	for i, name := range names {
		tag := Tag{Tag: name, Status: StatusSend}
		current, err := r.head(ctx, name)
		switch {
		case isNotFound(err):
		case err != nil:
			errs = append(errs, fmt.Errorf("checking %s:%s: %w", r.repo, name, httplimit.EscapeError(err)))
		case current == digest:
			tag.Status = StatusExists
		default:
			tag.Previous = current.String()
			switch {
			case r.Force:
			case i == len(r.Tags):
				tag.Status = StatusKept
			default:
				tag.Status = StatusRefused
				errs = append(errs, cli.Exit(cli.ExitDrift, fmt.Errorf("refusing to move the tag %s:%s from %s to %s. Fix: push another tag, or pass --force",
					r.repo, name, current, digest)))
			}
		}
		tags = append(tags, tag)
	}
	return tags, errors.Join(errs...)
}

// head returns the digest of a tag.
func (r run) head(ctx context.Context, tag string) (v1.Hash, error) {
	return headTag(ctx, r.puller, r.repo.Tag(tag))
}

// headTag returns the digest of a tag.
func headTag(ctx context.Context, puller *remote.Puller, tag name.Tag) (v1.Hash, error) {
	desc, err := puller.Head(ctx, tag)
	if err == nil {
		return desc.Digest, nil
	}
	if isNotFound(err) || ctx.Err() != nil {
		return v1.Hash{}, err
	}
	// Some registries do not support HEAD, or send no digest.
	got, err := puller.Get(ctx, tag)
	if err != nil {
		return v1.Hash{}, err
	}
	return got.Digest, nil
}

// upload uploads an index or image with its blobs and reports the progress.
func upload(ctx context.Context, p *progress.Reporter, to name.Digest, content remote.Taggable) error {
	updates, reported := make(chan v1.Update, 16), make(chan struct{})
	var task *progress.Task
	go func() {
		defer close(reported)
		var done int64
		for u := range updates {
			if u.Error != nil {
				continue // the write returns it
			}
			if task == nil && u.Total > 0 {
				task = p.Start("pushing "+to.String(), "bytes", u.Total)
			}
			if task != nil {
				task.Add(u.Complete - done)
				done = u.Complete
			}
		}
	}()
	var err error
	opts := append(options(ctx), remote.WithProgress(updates))
	switch content := content.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(to, content, opts...)
	case v1.Image:
		err = remote.Write(to, content, opts...)
	}
	<-reported // package remote has closed updates
	switch {
	case task == nil: // no progress to report
	case err == nil:
		task.Done()
	default:
		task.Fail()
	}
	return err
}

// newPushPuller returns a puller of manifests with the right to push. Without it,
// some registries respond with 403, not 404, for a repository that does not exist.
func newPushPuller(ctx context.Context, repo name.Repository) (*remote.Puller, error) {
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, repo)
	if err != nil {
		return nil, err
	}
	t, err := transport.NewWithContext(ctx, repo.Registry, auth, transport.NewRetry(documents(timeoutTransport())), []string{repo.Scope(transport.PushScope)})
	if err != nil {
		return nil, err
	}
	return remote.NewPuller(remote.WithContext(ctx), remote.WithTransport(t))
}

func options(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(timeoutTransport())}
}

// timeoutTransport is shared by all requests, so that connections are reused.
var timeoutTransport = sync.OnceValue(func() http.RoundTripper {
	return httplimit.NewTransport(newTransport(responseTimeout), httplimit.Default)
})

// responseTimeout bounds the wait for response headers. Some registries first
// verify a blob of hundreds of megabytes.
const responseTimeout = 2 * time.Minute

// newTransport returns the default transport of package remote with a response
// timeout, which it lacks.
func newTransport(timeout time.Duration) *http.Transport {
	t := remote.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = timeout
	return t
}
