// Package layout reads OCI image layouts that hold one image: a single-platform
// image, or an index of several platforms. It does not write them; package oci
// does.
package layout

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// Content is the index or the single-platform image of a layout.
type Content struct {
	Digest v1.Hash // as in index.json; the content is not verified yet
	Index  v1.ImageIndex
	Image  v1.Image // nil if Index is set
}

// Open opens the layout in a directory.
func Open(dir string) (Content, error) {
	c, err := open(dir)
	if err != nil {
		return Content{}, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	return c, nil
}

func open(dir string) (Content, error) {
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
	if desc.MediaType.IsIndex() {
		c.Index, err = top.ImageIndex(desc.Digest)
	} else {
		c.Image, err = top.Image(desc.Digest)
	}
	return c, err
}
