package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// Base brings the manifest, config and layers of a pinned base image into the
// store, as far as they are missing.
func (f *Fetcher) Base(ctx context.Context, pin versions.BasePin) (*oci.Base, error) {
	base, err := f.fetchBase(ctx, pin)
	if err != nil {
		return nil, fmt.Errorf("fetching base image %s: %w", pin.BaseKey, err)
	}
	return base, nil
}

// PinBase brings a base image into the store and returns its pin.
func (f *Fetcher) PinBase(ctx context.Context, key versions.BaseKey) (versions.BasePin, error) {
	pin, err := f.resolveBase(ctx, key)
	if err == nil {
		_, err = f.fetchBase(ctx, pin)
	}
	if err != nil {
		return versions.BasePin{}, fmt.Errorf("pinning base image %s: %w", key, err)
	}
	return pin, nil
}

// resolveBase finds the manifest of the platform, which is the image itself
// unless that is an index.
func (f *Fetcher) resolveBase(ctx context.Context, key versions.BaseKey) (versions.BasePin, error) {
	pin := versions.BasePin{BaseKey: key, SHA256: key.Image.Digest()}
	raw, err := f.document(ctx, key, manifestDescriptor(pin.SHA256), f.fetchManifest)
	if err != nil {
		return pin, err
	}
	manifest, isIndex, err := oci.SelectPlatform(raw, key.Platform)
	if isIndex {
		pin.SHA256 = manifest
	}
	return pin, err
}

func (f *Fetcher) fetchBase(ctx context.Context, pin versions.BasePin) (*oci.Base, error) {
	raw, err := f.document(ctx, pin.BaseKey, manifestDescriptor(pin.SHA256), f.fetchManifest)
	if err != nil {
		return nil, err
	}
	manifest, err := oci.ReadBaseManifest(raw)
	if err != nil {
		return nil, err
	}
	if raw, err = f.document(ctx, pin.BaseKey, manifest.ConfigDescriptor, f.fetchBlob); err != nil {
		return nil, err
	}
	base, err := manifest.WithConfig(raw)
	if err != nil {
		return nil, err
	}
	if base.OS != pin.Platform.OS() || base.Arch != pin.Platform.Arch() {
		return nil, fmt.Errorf("config is for %s/%s", base.OS, base.Arch)
	}
	for _, l := range manifest.LayerDescriptors {
		if err := f.ensureLayer(ctx, pin.BaseKey, l); err != nil {
			return nil, err
		}
	}
	return base, nil
}

// manifestDescriptor describes a manifest whose size is not known.
func manifestDescriptor(d versions.Digest) oci.Descriptor {
	return oci.Descriptor{Digest: d, Size: oci.MaxDocument}
}

// document returns the bytes of a manifest or a config, which fetch brings into the
// store.
func (f *Fetcher) document(ctx context.Context, key versions.BaseKey, d oci.Descriptor, fetch func(context.Context, versions.BaseKey, oci.Descriptor) error) ([]byte, error) {
	if err := f.ifMissing(d.Digest, func() error { return fetch(ctx, key, d) }); err != nil {
		return nil, err
	}
	content, size, err := f.open(d.Digest, nil)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if size > oci.MaxDocument {
		return nil, fmt.Errorf("reading document sha256 %s: want at most %d bytes, got %d", d.Digest, int64(oci.MaxDocument), size)
	}
	return io.ReadAll(content)
}

// ensureLayer checks the size, too, because the image repeats it.
func (f *Fetcher) ensureLayer(ctx context.Context, key versions.BaseKey, d oci.Descriptor) error {
	if err := f.ifMissing(d.Digest, func() error { return f.fetchBlob(ctx, key, d) }); err != nil {
		return err
	}
	file := f.Store.Path(d.Digest)
	info, err := os.Stat(file)
	if err == nil && info.Size() != d.Size {
		err = fmt.Errorf("layer sha256 %s: want %d bytes as in the manifest, got %d in %q", d.Digest, d.Size, info.Size(), file)
	}
	return err
}

// LayerWriter returns a function that copies layers of base images from the store.
func (f *Fetcher) LayerWriter(ctx context.Context) oci.LayerWriter {
	return oci.CopyLayers(func(digest string) (io.ReadCloser, error) {
		d, err := versions.ParseDigest(strings.TrimPrefix(digest, "sha256:"))
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		content, _, err := f.open(d, nil)
		return content, err
	})
}
