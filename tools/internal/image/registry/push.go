// Package registry pushes images to container registries, pulls manifests and
// blobs, and checks whether images exist. No other package connects to a
// registry.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Push pushes the index or image of an OCI layout by digest and tags it last, so
// that a tag never refers to an incomplete image. Blobs that the registry has are
// not uploaded again. It returns the digest.
//
// The repository must include its registry: clients complete a bare name with a
// public registry.
//
// A contentTag, unless empty, is a tag derived from the content of the image. If the
// repository has it, Push uploads nothing and points the other tags at the image
// that exists.
func Push(ctx context.Context, p *progress.Reporter, dir, repository string, tags []string, contentTag string) (v1.Hash, error) {
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("pushing to %q: %w", repository, err)
	}
	if contentTag != "" {
		existing, err := remote.Get(repo.Tag(contentTag), options(ctx)...)
		if err == nil {
			p.Logf("%s:%s exists: nothing to push", repository, contentTag)
			return existing.Digest, retag(ctx, p, repo, tags, existing)
		}
		if !isNotFound(err) {
			return v1.Hash{}, fmt.Errorf("checking %s:%s: %w", repository, contentTag, err)
		}
		tags = append(tags[:len(tags):len(tags)], contentTag)
	}
	read, err := layout.Open(dir)
	if err != nil {
		return v1.Hash{}, err
	}
	digest, content := read.Digest, remote.Taggable(read.Index)
	if read.Index == nil {
		content = read.Image
	}
	if err := push(ctx, p, repo.Digest(digest.String()), content); err != nil {
		return v1.Hash{}, fmt.Errorf("pushing %s@%s: %w", repository, digest, err)
	}
	var errs []error
	for _, tag := range tags {
		if err := remote.Tag(repo.Tag(tag), content, options(ctx)...); err != nil {
			errs = append(errs, fmt.Errorf("tagging %s:%s: %w", repository, tag, err))
		}
	}
	return digest, errors.Join(errs...)
}

// retag points tags at an existing image, where they differ.
func retag(ctx context.Context, p *progress.Reporter, repo name.Repository, tags []string, existing *remote.Descriptor) error {
	var errs []error
	for _, tag := range tags {
		current, err := remote.Head(repo.Tag(tag), options(ctx)...)
		if err == nil && current.Digest == existing.Digest {
			continue
		}
		if err == nil || isNotFound(err) {
			err = remote.Tag(repo.Tag(tag), existing, options(ctx)...)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("tagging %s:%s: %w", repo, tag, err))
			continue
		}
		p.Logf("tagged %s:%s", repo, tag)
	}
	return errors.Join(errs...)
}

// push uploads an index or image with its blobs and reports the progress.
func push(ctx context.Context, p *progress.Reporter, to name.Digest, content remote.Taggable) error {
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
