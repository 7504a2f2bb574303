// Package layout reads OCI image layouts that hold one image: a single-platform
// image, or an index of several platforms. It does not write them; package oci
// does.
package layout

import (
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// Content is the index or the single-platform image of a layout.
type Content struct {
	Digest v1.Hash // as in index.json; the content is not verified yet
	Index  v1.ImageIndex
	Image  v1.Image // nil if Index is set
}

// maxDocument is the maximum size of an index, manifest or config in bytes. An
// image for two platforms needs a few thousand.
const maxDocument = 4 << 20

// Open opens the layout in a directory. Documents of more than 4 MiB, and an
// index.json that is not a regular file, are errors.
func Open(dir string) (Content, error) {
	c, err := open(dir)
	if err != nil {
		return Content{}, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	return c, nil
}

func open(dir string) (Content, error) {
	// The library reads whole files of any size.
	if err := checkDocument(filepath.Join(dir, "index.json")); err != nil {
		return Content{}, err
	}
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return Content{}, err
	}
	list, err := top.IndexManifest()
	if err != nil {
		return Content{}, err
	}
	if len(list.Manifests) != 1 {
		return Content{}, fmt.Errorf("want one index or manifest, got %d", len(list.Manifests))
	}
	desc := list.Manifests[0]
	c := Content{Digest: desc.Digest}
	if err := checkBlob(dir, desc.Digest); err != nil {
		return Content{}, err
	}
	if !desc.MediaType.IsIndex() {
		if c.Image, err = top.Image(desc.Digest); err != nil {
			return Content{}, err
		}
		return c, checkConfig(dir, c.Image)
	}
	if c.Index, err = top.ImageIndex(desc.Digest); err != nil {
		return Content{}, err
	}
	return c, checkManifests(dir, c.Index)
}

func checkManifests(dir string, index v1.ImageIndex) error {
	list, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, desc := range list.Manifests {
		if err := checkBlob(dir, desc.Digest); err != nil {
			return err
		}
		if !desc.MediaType.IsImage() {
			continue
		}
		img, err := index.Image(desc.Digest)
		if err != nil {
			return err
		}
		if err := checkConfig(dir, img); err != nil {
			return err
		}
	}
	return nil
}

func checkConfig(dir string, img v1.Image) error {
	manifest, err := img.Manifest()
	if err != nil {
		return err
	}
	return checkBlob(dir, manifest.Config.Digest)
}

func checkBlob(dir string, digest v1.Hash) error {
	return checkDocument(filepath.Join(dir, "blobs", digest.Algorithm, digest.Hex))
}

// checkDocument checks type and size of an index, manifest or config.
func checkDocument(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is not a regular file", path)
	case info.Size() > maxDocument:
		return fmt.Errorf("%q: want at most %d bytes, got %d", path, maxDocument, info.Size())
	}
	return nil
}
