// Package layout reads OCI image layouts that hold one image: a single-platform
// image, or an index of several platforms. It verifies what it reads, and bounds
// it. It does not write layouts; package oci does.
package layout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// maxDocument bounds the documents that are kept in memory: oci-layout,
// index.json, indexes, manifests and configs.
const maxDocument = 4 << 20 // bytes

// Content is the index or the single-platform image of a layout. Its documents
// are verified and in memory. Only [Content.Verify] verifies the layers.
type Content struct {
	Digest v1.Hash
	Index  v1.ImageIndex
	Image  v1.Image // nil if Index is set
	// Manifests has the manifests, each after those that it refers to, and Blobs
	// the configs and layers. Both are without duplicates.
	Manifests, Blobs []v1.Descriptor
	dir              string
	more             []string
}

// Open opens the layout in a directory. Blobs may be symlinks, as in layouts that
// Bazel wrote: a digest decides whether the content is right. Symlinks in place
// of oci-layout and index.json, which have no digest, must not lead out of the
// layout, except into Bazel's output tree. Blobs that the layout does not have are
// read from the directories more, which may get them later. Their files are named by
// the sha256.
func Open(dir string, more ...string) (Content, error) {
	c, err := open(dir, more)
	if err != nil {
		return Content{}, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	return c, nil
}

func open(dir string, more []string) (c Content, err error) {
	c.more = more
	if c.dir, err = filepath.EvalSymlinks(dir); err != nil {
		return c, err
	}
	top, err := c.readTop()
	if err != nil {
		return c, err
	}
	if len(top.Manifests) != 1 {
		return c, fmt.Errorf("want one index or manifest, got %d", len(top.Manifests))
	}
	desc := top.Manifests[0]
	c.Digest = desc.Digest
	switch {
	case desc.MediaType.IsIndex():
		c.Index, err = c.readIndex(desc)
	case desc.MediaType.IsImage():
		c.Image, err = c.readImage(desc)
	default:
		err = fmt.Errorf("want an index or the manifest of an image, got media type %q", desc.MediaType)
	}
	return c, err
}

// ReadIndex reads index.json of the layout in a directory, which may list any number of
// images. It follows symlinks as [Open] does.
func ReadIndex(dir string) (top v1.IndexManifest, err error) {
	var c Content
	if c.dir, err = filepath.EvalSymlinks(dir); err == nil {
		top, err = c.readTop()
	}
	if err != nil {
		return top, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	return top, nil
}

// readTop reads oci-layout and index.json.
func (c Content) readTop() (top v1.IndexManifest, err error) {
	var version struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := c.readJSON("oci-layout", &version); err != nil {
		return top, err
	}
	if version.Version != "1.0.0" {
		return top, fmt.Errorf("want layout version 1.0.0, got %q", version.Version)
	}
	return top, c.readJSON("index.json", &top)
}

// IndexDigest returns the digest of the index. An image for one platform is an error.
func (c Content) IndexDigest() (string, error) {
	if c.Index == nil {
		return "", fmt.Errorf("layout %q: want an index of all platforms, got an image", c.dir)
	}
	return c.Digest.String(), nil
}

// Verify reads the layers and compares them with their digests and sizes.
func (c Content) Verify(ctx context.Context) error {
	for _, desc := range c.Blobs {
		if err := c.VerifyBlob(ctx, desc); err != nil {
			return err
		}
	}
	return nil
}

// VerifyBlob reads a blob and compares it with its digest and size. The error wraps
// [fs.ErrNotExist] if the layout does not have the blob.
func (c Content) VerifyBlob(ctx context.Context, desc v1.Descriptor) error {
	if err := c.verifyBlob(ctx, desc); err != nil {
		return fmt.Errorf("verifying layout: %w\nFix: build the image again", err)
	}
	return nil
}

func (c Content) verifyBlob(ctx context.Context, desc v1.Descriptor) error {
	f, digest, err := c.openBlob(desc, math.MaxInt64)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, store.NewVerifier(ctxio.NewReader(ctx, f), f.Name(), digest, desc.Size))
	return err
}

// openBlob opens a blob that has the size of its descriptor, at most limit bytes.
func (c Content) openBlob(desc v1.Descriptor, limit int64) (*os.File, versions.Digest, error) {
	digest, err := versions.ParseDigest(desc.Digest.Hex)
	if err != nil || desc.Digest.Algorithm != "sha256" {
		return nil, digest, fmt.Errorf("want a digest like sha256:…, got %q", desc.Digest)
	}
	f, size, err := OpenRegular(filepath.Join(c.dir, "blobs", "sha256", digest.String()), limit)
	for i := 0; i < len(c.more) && errors.Is(err, fs.ErrNotExist); i++ {
		f, size, err = OpenRegular(filepath.Join(c.more[i], digest.String()), limit)
	}
	if err != nil {
		return nil, digest, err
	}
	if size != desc.Size {
		return nil, digest, errors.Join(fmt.Errorf("%q: want %d bytes, got %d", f.Name(), desc.Size, size), f.Close())
	}
	return f, digest, nil
}

// readDocument reads an index, a manifest or a config and verifies it.
func (c Content) readDocument(desc v1.Descriptor) ([]byte, error) {
	f, digest, err := c.openBlob(desc, maxDocument)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(store.NewVerifier(f, f.Name(), digest, desc.Size))
}

// readJSON parses oci-layout or index.json.
func (c Content) readJSON(name string, v any) error {
	file := filepath.Join(c.dir, name)
	if err := checkLink(c.dir, file); err != nil {
		return err
	}
	f, _, err := OpenRegular(file, maxDocument)
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxDocument))
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", file, err)
	}
	return nil
}

func (c *Content) readIndex(desc v1.Descriptor) (*index, error) {
	raw, err := c.readDocument(desc)
	if err != nil {
		return nil, err
	}
	i := &index{document: document{raw, desc}, images: map[v1.Hash]v1.Image{}}
	if i.manifest, err = v1.ParseIndexManifest(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("index %s: %w", desc.Digest, err)
	}
	for _, m := range i.manifest.Manifests {
		if !m.MediaType.IsImage() {
			return nil, fmt.Errorf("index %s: want manifests of images, got media type %q", desc.Digest, m.MediaType)
		}
		if read, ok := i.images[m.Digest]; ok {
			if size, err := read.Size(); err == nil && size == m.Size {
				continue // a list of one large manifest would take hours
			}
		}
		if i.images[m.Digest], err = c.readImage(m); err != nil {
			return nil, err
		}
	}
	c.Manifests = appendNew(c.Manifests, desc)
	return i, nil
}

func (c *Content) readImage(desc v1.Descriptor) (v1.Image, error) {
	raw, err := c.readDocument(desc)
	if err != nil {
		return nil, err
	}
	i := &image{document: document{raw, desc}, content: *c}
	if i.manifest, err = v1.ParseManifest(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", desc.Digest, err)
	}
	if i.config, err = c.readDocument(i.manifest.Config); err != nil {
		return nil, fmt.Errorf("config of manifest %s: %w", desc.Digest, err)
	}
	c.Blobs = appendNew(c.Blobs, i.manifest.Layers...)
	c.Blobs = appendNew(c.Blobs, i.manifest.Config)
	c.Manifests = appendNew(c.Manifests, desc)
	return i.extend()
}

// appendNew appends the descriptors that are not in the list. Those with another
// size are not the same: one of the two does not match the blob.
func appendNew(list []v1.Descriptor, descs ...v1.Descriptor) []v1.Descriptor {
next:
	for _, desc := range descs {
		for _, have := range list {
			if have.Digest == desc.Digest && have.Size == desc.Size {
				continue next
			}
		}
		list = append(list, desc)
	}
	return list
}
