package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// PushIfMissing is like [Push], but pushes only if the repository does not have
// contentTag, a tag derived from the image's content. Otherwise it points the
// other tags at the existing image, where they differ. It returns the digest
// that the tags refer to.
func PushIfMissing(ctx context.Context, p *progress.Reporter, dir, repository string, tags []string, contentTag string) (v1.Hash, error) {
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("pushing to %q: %w", repository, err)
	}
	existing, err := remote.Get(repo.Tag(contentTag), options(ctx)...)
	if isNotFound(err) {
		return Push(ctx, p, dir, repository, append(tags[:len(tags):len(tags)], contentTag))
	}
	if err != nil {
		return v1.Hash{}, fmt.Errorf("checking %s:%s: %w", repository, contentTag, err)
	}
	p.Logf("%s:%s exists: nothing to push", repository, contentTag)
	var errs []error
	for _, tag := range tags {
		current, err := remote.Head(repo.Tag(tag), options(ctx)...)
		if err == nil && current.Digest == existing.Digest {
			continue
		}
		if err == nil || isNotFound(err) {
			err = remote.Tag(repo.Tag(tag), existing, options(ctx)...)
			if err == nil {
				p.Logf("tagged %s:%s", repository, tag)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("tagging %s:%s: %w", repository, tag, err))
		}
	}
	return existing.Digest, errors.Join(errs...)
}
