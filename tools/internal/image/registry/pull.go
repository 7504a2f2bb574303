package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
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
