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
)

// Viewer looks at images without pulling them.
type Viewer struct {
	puller   *remote.Puller
	insecure bool
}

// ViewerConfig says how registries are reached. Credentials come from the usual
// places: Docker's and Podman's configuration and their helpers.
type ViewerConfig struct {
	CAs      []byte // PEM; trusted besides the system's
	Insecure bool   // speak plain HTTP to every registry, not to this machine's alone
}

// NewViewer returns a viewer, which many goroutines may use at once.
func NewViewer(c ViewerConfig) (*Viewer, error) {
	t := transportOf(silence)
	if len(c.CAs) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("reading the system's certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM(c.CAs) {
			return nil, errors.New("reading certificates: there is none")
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	puller, err := remote.NewPuller(remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(t))
	if err != nil {
		return nil, err
	}
	return &Viewer{puller, c.Insecure}, nil
}

// Presence is what a registry has of an image.
type Presence struct {
	Digest string
	// Architectures are those whose manifest is there: an index may list more.
	Architectures []string
}

// ErrAbsent is the error of an image that a registry does not have.
var ErrAbsent = errors.New("no such image")

// Look finds out for which of the architectures a registry has an image, given
// by tag or digest. Only Linux counts. The error is [ErrAbsent] if the registry
// answers that it has none at all.
func (v *Viewer) Look(ctx context.Context, image string, architectures []string) (Presence, error) {
	var opts []name.Option
	if v.insecure {
		opts = append(opts, name.Insecure)
	}
	ref, err := name.ParseReference(image, opts...)
	if err != nil {
		return Presence{}, fmt.Errorf("looking at image %q: %w", image, err)
	}
	desc, err := v.puller.Get(ctx, ref)
	if err != nil {
		return Presence{}, fmt.Errorf("looking at image %q: %w", image, absent(err))
	}
	p := Presence{Digest: desc.Digest.String()}
	if !desc.MediaType.IsIndex() {
		arch, err := architectureOf(desc)
		if err != nil {
			return p, fmt.Errorf("looking at image %q: %w", image, err)
		}
		p.Architectures = []string{arch}
		return p, nil
	}
	index, err := desc.ImageIndex()
	if err != nil {
		return p, fmt.Errorf("looking at image %q: %w", image, err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		return p, fmt.Errorf("looking at image %q: %w", image, err)
	}
	for _, wanted := range architectures {
		manifest, ok := forArchitecture(list, wanted)
		if !ok {
			continue
		}
		// A mirror may list an architecture that it never fetched.
		switch _, err := v.puller.Head(ctx, ref.Context().Digest(manifest.String())); {
		case err == nil:
			p.Architectures = append(p.Architectures, wanted)
		case !errors.Is(absent(err), ErrAbsent):
			return p, fmt.Errorf("looking at image %q for %s: %w", image, wanted, err)
		}
	}
	return p, nil
}

// forArchitecture returns the manifest that an index has for linux/ARCHITECTURE.
func forArchitecture(list *v1.IndexManifest, architecture string) (v1.Hash, bool) {
	for _, m := range list.Manifests {
		if m.Platform != nil && m.Platform.OS == "linux" && m.Platform.Architecture == architecture {
			return m.Digest, true
		}
	}
	return v1.Hash{}, false
}

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

// absent turns a registry's answer that it has no such thing into ErrAbsent.
func absent(err error) error {
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: %v", ErrAbsent, err)
	}
	return err
}
