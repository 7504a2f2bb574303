package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// PushContent is like [Push] with one tag more, which is made of what is in the
// image: where the registry has that, nothing is pushed, and it says so. The
// other tags are then given to what is there, as far as they are missing. It
// returns the digest under the tags.
func PushContent(ctx context.Context, p *progress.Reporter, dir, repository string, tags []string, content string) (v1.Hash, error) {
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("pushing to %q: %w", repository, err)
	}
	there, err := remote.Get(repo.Tag(content), options(ctx)...)
	if missing(err) {
		return Push(ctx, p, dir, repository, append(tags[:len(tags):len(tags)], content))
	}
	if err != nil {
		return v1.Hash{}, fmt.Errorf("asking for %s:%s: %w", repository, content, err)
	}
	p.Logf("%s:%s is there already: nothing is pushed", repository, content)
	var errs []error
	for _, tag := range tags {
		has, err := remote.Head(repo.Tag(tag), options(ctx)...)
		if err == nil && has.Digest == there.Digest {
			continue
		}
		if err == nil || missing(err) {
			err = remote.Tag(repo.Tag(tag), there, options(ctx)...)
			if err == nil {
				p.Logf("%s:%s is now a tag of it", repository, tag)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("tagging %s:%s: %w", repository, tag, err))
		}
	}
	return there.Digest, errors.Join(errs...)
}

func missing(err error) bool {
	var refused *transport.Error
	return errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound
}
