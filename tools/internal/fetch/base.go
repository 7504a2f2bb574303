package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// Base brings a pinned base image into the store, its manifest, config and all
// layers, as far as they are not there.
func (s *Fetcher) Base(ctx context.Context, pin versions.BasePin) (*oci.Base, error) {
	base, err := s.base(ctx, pin)
	if err != nil {
		return nil, fmt.Errorf("getting base image %s: %w", pin.BaseKey, mend(err))
	}
	return base, nil
}

// PinBase makes the pin of a base image, which is in the store then.
func (s *Fetcher) PinBase(ctx context.Context, key versions.BaseKey) (versions.BasePin, error) {
	fail := func(err error) (versions.BasePin, error) {
		return versions.BasePin{}, fmt.Errorf("pinning base image %s: %w", key, mend(err))
	}
	digest := key.Image.Digest()
	raw, err := s.document(ctx, key, oci.Descriptor{Digest: digest, Size: oci.MaxDocument}, s.manifest)
	if err != nil {
		return fail(err)
	}
	manifest, isIndex, err := oci.SelectPlatform(raw, key.Platform)
	if err != nil {
		return fail(err)
	}
	if !isIndex {
		manifest = digest
	}
	pin := versions.BasePin{BaseKey: key, SHA256: manifest}
	if _, err := s.base(ctx, pin); err != nil {
		return fail(err)
	}
	return pin, nil
}

func (s *Fetcher) base(ctx context.Context, pin versions.BasePin) (*oci.Base, error) {
	raw, err := s.document(ctx, pin.BaseKey, oci.Descriptor{Digest: pin.SHA256, Size: oci.MaxDocument}, s.manifest)
	if err != nil {
		return nil, err
	}
	manifest, err := oci.ReadBaseManifest(raw)
	if err != nil {
		return nil, err
	}
	if raw, err = s.document(ctx, pin.BaseKey, manifest.ConfigDescriptor, s.blob); err != nil {
		return nil, err
	}
	base, err := manifest.WithConfig(raw)
	if err != nil {
		return nil, err
	}
	if base.OS != pin.Platform.OS() || base.Arch != pin.Platform.Arch() {
		return nil, fmt.Errorf("its config is for %s/%s", base.OS, base.Arch)
	}
	for _, l := range manifest.LayerDescriptors {
		if err := s.layer(ctx, pin.BaseKey, l); err != nil {
			return nil, err
		}
	}
	return base, nil
}

// fetch is a way to get a blob into the store.
type fetch func(ctx context.Context, key versions.BaseKey, ref oci.Descriptor) error

// document returns the bytes of a manifest or a config.
func (s *Fetcher) document(ctx context.Context, key versions.BaseKey, ref oci.Descriptor, get fetch) ([]byte, error) {
	if err := s.have(ctx, key, ref, get); err != nil {
		return nil, err
	}
	content, size, err := s.Store.Open(ref.Digest)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if size > oci.MaxDocument {
		return nil, fmt.Errorf("sha256 %s of it has %d bytes, more than the %d allowed", ref.Digest, size, int64(oci.MaxDocument))
	}
	return io.ReadAll(content)
}

// layer wants the size that the manifest has, too: it goes into the image.
func (s *Fetcher) layer(ctx context.Context, key versions.BaseKey, ref oci.Descriptor) error {
	if err := s.have(ctx, key, ref, s.blob); err != nil {
		return err
	}
	info, err := os.Stat(s.Store.Path(ref.Digest))
	if err == nil && info.Size() != ref.Size {
		err = fmt.Errorf("layer sha256 %s: want %d bytes, as the manifest says, got %d in %q", ref.Digest, ref.Size, info.Size(), s.Store.Path(ref.Digest))
	}
	return err
}

func (s *Fetcher) have(ctx context.Context, key versions.BaseKey, ref oci.Descriptor, get fetch) error {
	have, err := s.Store.Has(ref.Digest)
	if err != nil || have {
		return err
	}
	return get(ctx, key, ref)
}

// BlobCopier returns what copies layers of base images out of the store.
func (s *Fetcher) BlobCopier(ctx context.Context) oci.LayerWriter {
	place := oci.CopyLayers(func(digest string) (io.ReadCloser, error) {
		d, err := versions.ParseDigest(strings.TrimPrefix(digest, "sha256:"))
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		in, _, err := s.Store.Open(d)
		return in, err
	})
	return func(digest, to string) error { return mend(place(digest, to)) }
}

// mend says what to do about a file of the store that was changed.
func mend(err error) error {
	var mismatch *store.MismatchError
	if errors.As(err, &mismatch) {
		if _, statErr := os.Stat(mismatch.From); statErr == nil {
			return fmt.Errorf("%w\nTo mend: delete that file and run again", err)
		}
	}
	return err
}
