package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/versions"
)

// repository returns the repository of a base image in its registry or the mirror.
func (f *Fetcher) repository(key versions.BaseKey) (string, error) {
	repository := key.Image.Repository()
	switch {
	case f.Registry == Off:
		return "", errors.New("downloads are disabled by HYPERKUBE_UPSTREAM=off or HYPERKUBE_REBUILD=1; with the latter, HYPERKUBE_REGISTRY_MIRROR may name a mirror of the registry")
	case f.Registry == "":
		return repository, nil
	case strings.Contains(f.Registry, "://"):
		return "", fmt.Errorf("HYPERKUBE_REGISTRY_MIRROR=%q: want HOST:PORT or HOST:PORT/PATH, without a scheme", f.Registry)
	}
	_, path, _ := strings.Cut(repository, "/")
	return strings.TrimSuffix(f.Registry, "/") + "/" + path, nil
}

// fetchManifest brings a manifest or an index into the store.
func (f *Fetcher) fetchManifest(ctx context.Context, key versions.BaseKey, d oci.Descriptor) error {
	repository, err := f.repository(key)
	if err != nil {
		return fmt.Errorf("manifest sha256 %s is not in the store: %w", d.Digest, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, responseTimeout, fmt.Errorf("no response for %v", responseTimeout))
	defer cancel()
	raw, err := registry.Manifest(ctx, repository, d.Digest)
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return f.Store.Put(ctx, d.Digest, d.Size, repository, bytes.NewReader(raw))
}

// fetchBlob brings a config or a layer into the store.
func (f *Fetcher) fetchBlob(ctx context.Context, key versions.BaseKey, d oci.Descriptor) error {
	repository, err := f.repository(key)
	if err != nil {
		return fmt.Errorf("blob sha256 %s is not in the store: %w", d.Digest, err)
	}
	from := fmt.Sprintf("%s@sha256:%s", repository, d.Digest)
	return f.retry(ctx, key.String(), from, func() error {
		client, u, err := registry.BlobClient(ctx, repository, d.Digest)
		if err != nil {
			return err // the registry client has retried
		}
		return f.transfer(ctx, transfer{
			title: "pulling " + from, client: client, url: u, digest: d.Digest, size: d.Size, limit: d.Size,
		})
	})
}
