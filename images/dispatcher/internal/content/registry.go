package content

import (
	"context"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/imagefile"
)

const (
	// maxConfig is the maximum size of an image's config, which is read into memory.
	maxConfig = 8 << 20
	// maxLayers is more than a container runtime can mount.
	maxLayers = 512
)

// layers returns the layers of an image. Credentials come from the configuration and
// the credential helpers of Docker and Podman.
func (f Fetcher) layers(ctx context.Context, ref name.Reference) ([]imagefile.Layer, error) {
	platform := v1.Platform{OS: "linux", Architecture: f.Arch}
	desc, err := remote.Get(ref,
		remote.WithContext(ctx),
		remote.WithTransport(documentTransport{f.Transport}),
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(platform))
	if err != nil {
		return nil, err
	}
	image, err := desc.Image()
	if err != nil {
		return nil, fmt.Errorf("selecting the image for %s: %w", platform, err)
	}
	if err := checkImage(image, platform); err != nil {
		return nil, err
	}
	layers, err := image.Layers()
	if err != nil {
		return nil, fmt.Errorf("reading image manifest: %w", err)
	}
	open := make([]imagefile.Layer, len(layers))
	for i, layer := range layers {
		open[i] = func(ctx context.Context) (io.ReadCloser, error) { return openLayer(ctx, layer) }
	}
	return open, nil
}

// checkImage checks the platform, which a reference to a single image does not
// select, and the sizes of the config and the layers before they are read.
func checkImage(image v1.Image, want v1.Platform) error {
	manifest, err := image.Manifest()
	if err != nil {
		return fmt.Errorf("reading image manifest: %w", err)
	}
	if size := manifest.Config.Size; size < 0 || size > maxConfig {
		return fmt.Errorf("image config has %d bytes, want at most %d", size, maxConfig)
	}
	if n := len(manifest.Layers); n > maxLayers {
		return fmt.Errorf("image has %d layers, want at most %d", n, maxLayers)
	}
	for _, layer := range manifest.Layers {
		if layer.Size < 0 || layer.Size > imagefile.MaxLayer {
			return fmt.Errorf("layer %s has %d bytes, want at most %d", layer.Digest, layer.Size, int64(imagefile.MaxLayer))
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("reading image config: %w", err)
	}
	if config.OS != want.OS || config.Architecture != want.Architecture {
		return fmt.Errorf("image is for %s/%s, want %s", config.OS, config.Architecture, want)
	}
	return nil
}
