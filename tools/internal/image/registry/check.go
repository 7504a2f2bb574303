package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
)

// Checker checks which images registries have, without pulling them. It is safe
// for concurrent use.
type Checker struct {
	puller   *remote.Puller
	insecure bool
}

// CheckerConfig configures the connections to registries. Credentials come from
// the configuration files and credential helpers of Docker and Podman.
type CheckerConfig struct {
	CAs      []byte // PEM certificates to trust in addition to the system's
	Insecure bool   // use plain HTTP for every registry, not only for localhost
}

// NewChecker returns a checker with its own connection pool.
func NewChecker(c CheckerConfig) (*Checker, error) {
	t := newTransport(responseTimeout)
	if len(c.CAs) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("reading the system's certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM(c.CAs) {
			return nil, errors.New("reading certificates: no PEM certificate found")
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	puller, err := remote.NewPuller(remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(documents(httplimit.NewTransport(t, httplimit.Default))))
	if err != nil {
		return nil, err
	}
	return &Checker{puller, c.Insecure}, nil
}

// Presence describes an image in a registry.
type Presence struct {
	Digest string // "sha256:…" of the index or manifest
	// Architectures are those whose manifest exists. An index may list more.
	Architectures []string
}

// ErrNotFound reports that a registry does not have an image.
var ErrNotFound = errors.New("image not found")

// Head checks for which of the architectures a registry has an image, given by
// tag or digest. It considers linux images only. The error wraps [ErrNotFound]
// if the registry reports that the image does not exist.
func (c *Checker) Head(ctx context.Context, image string, architectures []string) (Presence, error) {
	p, err := c.head(ctx, image, architectures)
	if err != nil {
		err = fmt.Errorf("checking image %q: %w", image, httplimit.EscapeError(err))
	}
	return p, err
}

func (c *Checker) head(ctx context.Context, image string, architectures []string) (Presence, error) {
	var opts []name.Option
	if c.insecure {
		opts = append(opts, name.Insecure)
	}
	ref, err := name.ParseReference(image, opts...)
	if err != nil {
		return Presence{}, err
	}
	desc, err := c.puller.Get(ctx, ref)
	if isNotFound(err) {
		err = fmt.Errorf("%w: %v", ErrNotFound, err)
	}
	if err != nil {
		return Presence{}, err
	}
	p := Presence{Digest: desc.Digest.String()}
	if !desc.MediaType.IsIndex() {
		arch, err := architectureOf(desc)
		if err == nil {
			p.Architectures = []string{arch}
		}
		return p, err
	}
	index, err := desc.ImageIndex()
	if err != nil {
		return p, err
	}
	list, err := index.IndexManifest()
	if err != nil {
		return p, err
	}
	for _, arch := range architectures {
		manifest, ok := findManifest(list, arch)
		if !ok {
			continue
		}
		// A mirror may list an architecture that it never fetched.
		switch _, err := c.puller.Head(ctx, ref.Context().Digest(manifest.String())); {
		case err == nil:
			p.Architectures = append(p.Architectures, arch)
		case !isNotFound(err):
			return p, fmt.Errorf("manifest for %s: %w", arch, err)
		}
	}
	return p, nil
}

// findManifest returns the digest of the manifest for linux/ARCHITECTURE.
func findManifest(list *v1.IndexManifest, architecture string) (v1.Hash, bool) {
	for _, m := range list.Manifests {
		if m.Platform != nil && m.Platform.OS == "linux" && m.Platform.Architecture == architecture {
			return m.Digest, true
		}
	}
	return v1.Hash{}, false
}

// architectureOf returns the architecture of a single-platform image, with the
// operating system in front unless it is linux.
func architectureOf(desc *remote.Descriptor) (string, error) {
	image, err := desc.Image()
	if err != nil {
		return "", err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return "", err
	}
	if config.OS != "linux" {
		return config.OS + "/" + config.Architecture, nil
	}
	return config.Architecture, nil
}

func isNotFound(err error) bool {
	var status *transport.Error
	return errors.As(err, &status) && status.StatusCode == http.StatusNotFound
}
