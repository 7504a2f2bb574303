package layout

import (
	"fmt"
	"io"
	"math"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/store"
)

// document is a manifest or an index in memory.
type document struct {
	raw  []byte
	desc v1.Descriptor
}

func (d document) MediaType() (types.MediaType, error) { return d.desc.MediaType, nil }
func (d document) Digest() (v1.Hash, error)            { return partial.Digest(d) }
func (d document) Size() (int64, error)                { return d.desc.Size, nil }
func (d document) RawManifest() ([]byte, error)        { return d.raw, nil }

// index implements [v1.ImageIndex].
type index struct {
	document
	manifest *v1.IndexManifest
	images   map[v1.Hash]v1.Image
}

func (i *index) IndexManifest() (*v1.IndexManifest, error) { return i.manifest.DeepCopy(), nil }

func (i *index) Image(h v1.Hash) (v1.Image, error) {
	image, ok := i.images[h]
	if !ok {
		return nil, fmt.Errorf("index %s has no manifest %s", i.desc.Digest, h)
	}
	return image, nil
}

func (i *index) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	return nil, fmt.Errorf("index %s has no index %s", i.desc.Digest, h)
}

// image implements [partial.CompressedImageCore].
type image struct {
	document
	manifest *v1.Manifest
	config   []byte
	content  Content
}

func (i *image) extend() (v1.Image, error) { return partial.CompressedToImage(i) }

func (i *image) Manifest() (*v1.Manifest, error) { return i.manifest.DeepCopy(), nil }

func (i *image) ConfigName() (v1.Hash, error) { return i.manifest.Config.Digest, nil }

func (i *image) ConfigFile() (*v1.ConfigFile, error) { return partial.ConfigFile(i) }

func (i *image) RawConfigFile() ([]byte, error) { return i.config, nil }

func (i *image) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	descs := append([]v1.Descriptor{i.manifest.Config}, i.manifest.Layers...)
	n := slices.IndexFunc(descs, func(d v1.Descriptor) bool { return d.Digest == h })
	if n < 0 {
		return nil, fmt.Errorf("manifest %s has no layer %s", i.desc.Digest, h)
	}
	return &blob{i, descs[n]}, nil
}

// blob implements [partial.CompressedLayer].
type blob struct {
	image *image
	desc  v1.Descriptor
}

func (b *blob) MediaType() (types.MediaType, error) { return b.desc.MediaType, nil }

func (b *blob) Digest() (v1.Hash, error) { return b.desc.Digest, nil }

func (b *blob) Size() (int64, error) { return b.desc.Size, nil }

func (b *blob) DiffID() (v1.Hash, error) { return partial.BlobToDiffID(b.image, b.desc.Digest) }

// Compressed returns the blob, whose last read fails if the bytes do not match the
// digest: the file may have changed since [Content.Verify].
func (b *blob) Compressed() (io.ReadCloser, error) {
	f, digest, err := b.image.content.openBlob(b.desc, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{store.NewVerifier(f, f.Name(), digest, b.desc.Size), f}, nil
}
