// Package registry is the one place that talks to container registries.
package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Push pushes the one index or image of an OCI layout to a repository by its
// digest, and then gives it the tags: a reader of a tag never meets half an
// image. What the registry has is not sent again. It returns the digest.
func Push(ctx context.Context, p *progress.Reporter, dir, repository string, tags []string) (v1.Hash, error) {
	repo, err := name.NewRepository(repository)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("pushing to %q: %w", repository, err)
	}
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	list, err := top.IndexManifest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	if len(list.Manifests) != 1 {
		return v1.Hash{}, fmt.Errorf("reading layout %q: want one manifest, got %d", dir, len(list.Manifests))
	}
	what := list.Manifests[0]
	pusher, err := remote.NewPusher(remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return v1.Hash{}, fmt.Errorf("pushing to %q: %w", repository, err)
	}
	var content remote.Taggable
	if what.MediaType.IsIndex() {
		content, err = top.ImageIndex(what.Digest)
	} else {
		content, err = top.Image(what.Digest)
	}
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	if err := push(ctx, p, pusher, repo, what.Digest, content); err != nil {
		return v1.Hash{}, fmt.Errorf("pushing %s@%s: %w", repository, what.Digest, err)
	}
	var errs []error
	for _, tag := range tags {
		if err := pusher.Push(ctx, repo.Tag(tag), content); err != nil {
			errs = append(errs, fmt.Errorf("tagging %s:%s: %w", repository, tag, err))
		}
	}
	return what.Digest, errors.Join(errs...)
}

func push(ctx context.Context, p *progress.Reporter, pusher *remote.Pusher, repo name.Repository, digest v1.Hash, content remote.Taggable) error {
	task := p.Start(fmt.Sprintf("pushing %s@%s", repo, digest), "index", 1)
	if err := pusher.Push(ctx, repo.Digest(digest.String()), content); err != nil {
		task.Fail()
		return err
	}
	task.Add(1)
	task.Done()
	return nil
}
