package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// Resolved is the index or the manifest that a reference refers to.
type Resolved struct {
	Repository string // with the registry
	Descriptor v1.Descriptor
	Manifest   []byte
}

// Resolve pulls the index or the manifest of a reference. One without a registry is an
// error, which exits with [cli.ExitUsage]. The caller must verify the bytes.
func Resolve(ctx context.Context, reference string) (Resolved, error) {
	ref, err := name.ParseReference(reference, name.StrictValidation)
	if err != nil {
		return Resolved{}, cli.Usage("want a reference like registry.example/repository:tag, got %q: %w", reference, err)
	}
	desc, err := remote.Get(ref, documentOptions(ctx)...)
	if err != nil {
		return Resolved{}, fmt.Errorf("pulling %s: %w", ref, httplimit.EscapeError(err))
	}
	return Resolved{ref.Context().Name(), desc.Descriptor, desc.Manifest}, nil
}

// Config pulls a config of at most limit bytes by digest. The caller must verify the
// bytes.
func Config(ctx context.Context, repository string, d versions.Digest, limit int64) ([]byte, error) {
	content, err := Blob(ctx, repository, d)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	raw, err := io.ReadAll(io.LimitReader(content, limit))
	if err != nil {
		return nil, fmt.Errorf("pulling %s@sha256:%s: %w", repository, d, httplimit.EscapeError(err))
	}
	return raw, nil
}

// Manifest pulls a manifest or an index by digest. The caller must verify the
// bytes.
func Manifest(ctx context.Context, repository string, d versions.Digest) ([]byte, error) {
	ref, err := digestRef(repository, d)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(ref, documentOptions(ctx)...)
	if err != nil {
		return nil, fmt.Errorf("pulling %s: %w", ref, httplimit.EscapeError(err))
	}
	return desc.Manifest, nil
}

// BlobClient returns a client with the right to pull from a repository, and the URL
// of a blob. The caller must verify the bytes.
func BlobClient(ctx context.Context, repository string, d versions.Digest) (*http.Client, *url.URL, error) {
	return newBlobClient(ctx, repository, d, timeoutTransport())
}

func newBlobClient(ctx context.Context, repository string, d versions.Digest, t http.RoundTripper) (*http.Client, *url.URL, error) {
	ref, err := digestRef(repository, d)
	if err != nil {
		return nil, nil, err
	}
	repo := ref.Context()
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, repo)
	if err == nil {
		t, err = transport.NewWithContext(ctx, repo.Registry, auth, transport.NewRetry(t), []string{repo.Scope(transport.PullScope)})
	}
	if err != nil {
		return nil, nil, fmt.Errorf("pulling %s: %w", ref, httplimit.EscapeError(err))
	}
	u := &url.URL{Scheme: repo.Scheme(), Host: repo.RegistryStr(), Path: "/v2/" + repo.RepositoryStr() + "/blobs/" + ref.DigestStr()}
	return &http.Client{Transport: t, CheckRedirect: checkRedirect}, u, nil
}

// Blob opens a blob by digest. The caller must verify the bytes.
func Blob(ctx context.Context, repository string, d versions.Digest) (io.ReadCloser, error) {
	client, u, err := BlobClient(ctx, repository, d)
	if err != nil {
		return nil, err
	}
	fail := func(err error) error {
		return fmt.Errorf("pulling %s@sha256:%s: %w", repository, d, httplimit.EscapeError(err))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fail(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fail(err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fail(errors.Join(errors.New(response.Status), response.Body.Close()))
	}
	return response.Body, nil
}

// checkRedirect refuses redirects to an address of an internal network, too, which
// a registry could use to reach servers that it cannot reach itself.
func checkRedirect(next *http.Request, via []*http.Request) error {
	host := next.URL.Hostname()
	if host != via[0].URL.Hostname() && isInternal(host) {
		return &httplimit.RedirectError{URL: httplimit.Redact(next.URL), Reason: "refusing an address of an internal network"}
	}
	return httplimit.CheckRedirect(next, via)
}

// isInternal reports whether a host is an IP address that is not public. Addresses
// in other notations than the usual ones count as internal.
func isInternal(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return !addr.IsGlobalUnicast() || addr.IsPrivate()
	}
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last == "" || '0' <= last[0] && last[0] <= '9' || strings.Contains(host, ":")
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
