// Package layout reads OCI layouts that hold a single image, for one platform
// or as an index of several. It has no part in writing them.
package layout

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// Content is what a layout holds: an index, or an image of one platform.
type Content struct {
	Digest v1.Hash // as the layout has it; the content is not held to it yet
	Index  v1.ImageIndex
	Image  v1.Image // nil if there is an index
}

// Open opens the layout in a folder.
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
		return Content{}, fmt.Errorf("want one index or image in it, got %d", len(list.Manifests))
	}
	only := list.Manifests[0]
	c := Content{Digest: only.Digest}
	if only.MediaType.IsIndex() {
		c.Index, err = top.ImageIndex(only.Digest)
	} else {
		c.Image, err = top.Image(only.Digest)
	}
	return c, err
}
