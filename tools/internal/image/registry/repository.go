package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
)

// Repository reads the tags and the referrers of a repository. It waits and retries
// while the registry is overloaded. It is safe for concurrent use.
type Repository struct {
	repo   name.Repository
	puller *remote.Puller
	client *http.Client
}

// OpenRepository returns a reader with the right to pull. A repository without a
// registry is an error, which exits with [cli.ExitUsage].
func OpenRepository(ctx context.Context, repository string) (*Repository, error) {
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return nil, cli.Usage("want a repository like registry.example/repository, got %q: %w", repository, err)
	}
	fail := func(err error) error { return fmt.Errorf("connecting to %s: %w", repo, httplimit.EscapeError(err)) }
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, repo)
	if err != nil {
		return nil, fail(err)
	}
	t, err := transport.NewWithContext(ctx, repo.Registry, auth, newRetry(documents(timeoutTransport())), []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, fail(err)
	}
	puller, err := remote.NewPuller(remote.WithContext(ctx), remote.WithTransport(t))
	if err != nil {
		return nil, fail(err)
	}
	return &Repository{repo, puller, &http.Client{Transport: t, CheckRedirect: checkRedirect}}, nil
}

// Limits of a list of tags, which a registry could continue forever.
const (
	maxTags  = 100_000
	maxPages = 2_000
)

var tagPattern = regexp.MustCompile(`^\w[\w.-]{0,127}$`)

// Tags lists all tags.
func (r *Repository) Tags(ctx context.Context) ([]string, error) {
	tags, err := r.tags(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the tags of %s: %w", r.repo, httplimit.EscapeError(err))
	}
	return tags, nil
}

func (r *Repository) tags(ctx context.Context) ([]string, error) {
	pages, err := r.puller.Lister(ctx, r.repo)
	if err != nil {
		return nil, err
	}
	var tags []string
	seen := map[string]bool{}
	for n := 1; pages.HasNext(); n++ {
		page, err := pages.Next(ctx)
		if err != nil {
			return nil, err
		}
		before := len(tags)
		for _, tag := range page.Tags {
			if !tagPattern.MatchString(tag) {
				return nil, fmt.Errorf("%q is not a tag", tag)
			}
			if !seen[tag] {
				seen[tag] = true
				tags = append(tags, tag)
			}
		}
		switch {
		case len(tags) > maxTags:
			return nil, fmt.Errorf("more than %d tags", maxTags)
		case page.Next != "" && len(tags) == before:
			return nil, fmt.Errorf("page %d has no new tag, but a next page", n)
		case page.Next != "" && n == maxPages:
			return nil, fmt.Errorf("more than %d pages", maxPages)
		}
	}
	return tags, nil
}

// Digest returns the digest of a tag, "sha256:…", as the registry reports it. The error
// wraps [ErrNotFound] if there is no such tag.
func (r *Repository) Digest(ctx context.Context, tag string) (string, error) {
	digest, err := headTag(ctx, r.puller, r.repo.Tag(tag))
	if isNotFound(err) {
		err = fmt.Errorf("%w: %v", ErrNotFound, err)
	}
	if err != nil {
		return "", fmt.Errorf("checking %s:%s: %w", r.repo, tag, httplimit.EscapeError(err))
	}
	return digest.String(), nil
}

// HasReferrersAPI reports whether the registry has the referrers API of OCI 1.1. Others
// have a tag with the list of referrers, if there are any; see [FallbackTag].
func (r *Repository) HasReferrersAPI(ctx context.Context, digest string) (bool, error) {
	u := url.URL{Scheme: r.repo.Scheme(), Host: r.repo.RegistryStr(), Path: "/v2/" + r.repo.RepositoryStr() + "/referrers/" + digest}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("Accept", string(types.OCIImageIndex))
	response, err := r.client.Do(request)
	if err != nil {
		return false, fmt.Errorf("listing referrers: %w", httplimit.EscapeError(err))
	}
	err = transport.CheckError(response, http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusMethodNotAllowed)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return false, fmt.Errorf("listing referrers: %w", httplimit.EscapeError(err))
	}
	return response.StatusCode == http.StatusOK && response.Header.Get("Content-Type") == string(types.OCIImageIndex), nil
}

// FallbackTag returns the tag of the list of referrers of a digest.
func FallbackTag(digest string) string { return strings.Replace(digest, ":", "-", 1) }

// maxUntyped bounds the manifests that Referrers reads for one list.
const maxUntyped = 16

// Referrers lists the referrers of a digest, by the API or by the fallback tag.
func (r *Repository) Referrers(ctx context.Context, digest string) ([]v1.Descriptor, error) {
	list, err := r.referrers(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("listing referrers of %s@%s: %w", r.repo, digest, httplimit.EscapeError(err))
	}
	return list, nil
}

func (r *Repository) referrers(ctx context.Context, digest string) ([]v1.Descriptor, error) {
	index, err := remote.Referrers(r.repo.Digest(digest), remote.WithContext(ctx), remote.Reuse(r.puller))
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var list []v1.Descriptor
	untyped := 0
	for _, desc := range manifest.Manifests {
		// Some clients and registries list the type of the config, which is always empty.
		if types.MediaType(desc.ArtifactType) == configType {
			if untyped++; untyped > maxUntyped {
				return nil, fmt.Errorf("more than %d referrers without an artifact type", maxUntyped)
			}
			if desc, err = r.readReferrer(ctx, digest, desc); err != nil {
				return nil, err
			}
		}
		// A registry may take the fallback tag for the digest of the image, and return the
		// image in place of the list.
		if desc.ArtifactType != "" {
			list = append(list, desc)
		}
	}
	return list, nil
}

// configType is the media type of the config of a manifest that is no image.
const configType types.MediaType = "application/vnd.oci.empty.v1+json"

// readReferrer returns a descriptor with artifact type and annotations of the manifest,
// without a type if the manifest refers to another subject.
func (r *Repository) readReferrer(ctx context.Context, digest string, desc v1.Descriptor) (v1.Descriptor, error) {
	desc.ArtifactType = ""
	got, err := r.puller.Get(ctx, r.repo.Digest(desc.Digest.String()))
	if isNotFound(err) {
		return desc, nil
	}
	if err != nil {
		return desc, err
	}
	image, err := got.Image()
	if err != nil {
		return desc, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return desc, err
	}
	if manifest.Subject != nil && manifest.Subject.Digest.String() == digest {
		desc.ArtifactType, desc.Annotations = manifest.ArtifactType, manifest.Annotations
	}
	return desc, nil
}
