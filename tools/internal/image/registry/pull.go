package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// Manifest pulls a manifest or an index by digest. The caller must verify the
// bytes.
func Manifest(ctx context.Context, repository string, d versions.Digest) ([]byte, error) {
	ref, err := digestRef(repository, d)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(ref, append(options(ctx), remote.WithTransport(documents(timeoutTransport())))...)
	if err != nil {
		return nil, fmt.Errorf("pulling %s: %w", ref, httplimit.EscapeError(err))
	}
	return desc.Manifest, nil
}

// Blob opens a blob by digest. The caller must verify the bytes.
func Blob(ctx context.Context, repository string, d versions.Digest) (io.ReadCloser, error) {
	return openBlob(ctx, repository, d, timeoutTransport())
}

func openBlob(ctx context.Context, repository string, d versions.Digest, t http.RoundTripper) (io.ReadCloser, error) {
	ref, err := digestRef(repository, d)
	if err != nil {
		return nil, err
	}
	layer, err := remote.Layer(ref, append(options(ctx), remote.WithTransport(t))...)
	if err != nil {
		return nil, fmt.Errorf("pulling %s: %w", ref, httplimit.EscapeError(err))
	}
	content, err := layer.Compressed() // the blob as it is stored
	if err != nil {
		return nil, fmt.Errorf("pulling %s: %w", ref, httplimit.EscapeError(err))
	}
	return content, nil
}

// documents returns a transport for manifests and configs, which package remote
// reads into memory.
func documents(t http.RoundTripper) http.RoundTripper { return httplimit.MaxSize(t, oci.MaxDocument) }

func digestRef(repository string, d versions.Digest) (name.Digest, error) {
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return name.Digest{}, fmt.Errorf("pulling from %q: %w", repository, err)
	}
	return repo.Digest("sha256:" + d.String()), nil
}
