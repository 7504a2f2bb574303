package content

import (
	"context"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/imagefile"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
)

const (
	// maxConfig bounds an image's config, which is read into memory, in bytes.
	maxConfig = 8 << 20
	// maxLayers is more than any runtime can mount.
	maxLayers = 512
)

// pull writes a file out of an image. Credentials come from the usual places:
// Docker's and Podman's configuration and their helpers.
func (g Getter) pull(ctx context.Context, w io.Writer, from source.Source) error {
	platform := v1.Platform{OS: "linux", Architecture: g.Arch}
	desc, err := remote.Get(from.Ref,
		remote.WithContext(ctx),
		remote.WithTransport(g.Transport),
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(platform))
	if err != nil {
		return err
	}
	image, err := desc.Image()
	if err != nil {
		return fmt.Errorf("choosing the image for %s: %w", platform, err)
	}
	if err := check(image, platform); err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return fmt.Errorf("reading the image's manifest: %w", err)
	}
	open := make([]imagefile.Layer, len(layers))
	for i, layer := range layers {
		open[i] = layer.Uncompressed
	}
	return imagefile.Copy(ctx, w, from.Path, g.MaxSize, open)
}

// check holds an image to the platform, of which a reference to a single image
// says nothing, and to bounds on what is read next.
func check(image v1.Image, want v1.Platform) error {
	manifest, err := image.Manifest()
	if err != nil {
		return fmt.Errorf("reading the image's manifest: %w", err)
	}
	if size := manifest.Config.Size; size < 0 || size > maxConfig {
		return fmt.Errorf("the image's config has %d bytes; want at most %d", size, maxConfig)
	}
	if n := len(manifest.Layers); n > maxLayers {
		return fmt.Errorf("the image has %d layers; want at most %d", n, maxLayers)
	}
	for _, layer := range manifest.Layers {
		if layer.Size < 0 || layer.Size > imagefile.MaxLayer {
			return fmt.Errorf("the image's layer %s has %d bytes; want at most %d", layer.Digest, layer.Size, int64(imagefile.MaxLayer))
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("reading the image's config: %w", err)
	}
	if config.OS != want.OS || config.Architecture != want.Architecture {
		return fmt.Errorf("the image is for %s/%s; want %s", config.OS, config.Architecture, want)
	}
	return nil
}
