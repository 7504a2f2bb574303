package registry

import (
	"context"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/versions"
)

// Manifest pulls a manifest or an index by digest. The caller must verify the
// bytes.
func Manifest(ctx context.Context, repository string, d versions.Digest) ([]byte, error) {
	ref, err := digestRef(repository, d)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(ref, options(ctx)...)
	if err != nil {
		return nil, fmt.Errorf("pulling %s: %w", ref, err)
	}
	return desc.Manifest, nil
}

// Blob opens a blob by digest. The caller must verify the bytes.
func Blob(ctx context.Context, repository string, d versions.Digest) (io.ReadCloser, error) {
	ref, err := digestRef(repository, d)
	if err != nil {
		return nil, err
	}
	layer, err := remote.Layer(ref, options(ctx)...)
	if err != nil {
		return nil, fmt.Errorf("pulling %s: %w", ref, err)
	}
	content, err := layer.Compressed() // the blob as it is stored
	if err != nil {
		return nil, fmt.Errorf("pulling %s: %w", ref, err)
	}
	return content, nil
}

func digestRef(repository string, d versions.Digest) (name.Digest, error) {
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return name.Digest{}, fmt.Errorf("pulling from %q: %w", repository, err)
	}
	return repo.Digest("sha256:" + d.String()), nil
}
