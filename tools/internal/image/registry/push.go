// Package registry is the one place that talks to container registries.
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
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Push pushes the one index or image of an OCI layout to a repository by its
// digest, and then gives it the tags: a reader of a tag never meets half an
// image. What the registry has is not sent again. It returns the digest.
//
// The repository has to name its registry: of a bare name, clients make one on
// a public registry.
func Push(ctx context.Context, p *progress.Reporter, dir, repository string, tags []string) (v1.Hash, error) {
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("pushing to %q: %w", repository, err)
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

// push writes an index or image with all that belongs to it, and tells of the
// bytes.
func push(ctx context.Context, p *progress.Reporter, to name.Digest, content remote.Taggable) error {
	updates := make(chan v1.Update, 16)
	shown := make(chan bool)
	go func() {
		var task *progress.Task
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
		ok := <-shown
		switch {
		case task != nil && ok:
			task.Done()
		case task != nil:
			task.Fail()
		}
		shown <- true
	}()
	var err error
	with := append(options(ctx), remote.WithProgress(updates))
	switch content := content.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(to, content, with...)
	case v1.Image:
		err = remote.Write(to, content, with...)
	}
	shown <- err == nil // the library has closed updates
	<-shown
	return err
}

func options(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(patient())}
}

// patient is the one way to registries, so that connections are used again.
var patient = sync.OnceValue(func() *http.Transport { return transportOf(silence) })

// silence is how long a registry may take to begin an answer. Some check a blob
// of hundreds of megabytes first.
const silence = 2 * time.Minute

// transportOf is the library's own, which would wait for an answer for ever, with
// an end to that.
func transportOf(silence time.Duration) *http.Transport {
	t := remote.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = silence
	return t
}
