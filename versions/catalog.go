package versions

import (
	"cmp"
	"fmt"
	"slices"
)

// Catalog has all images that can be built. [Resolve] makes it from a manifest and
// a lock.
type Catalog struct {
	Manifest *Manifest
	Lock     *Lock
	Images   []Image  // by flavor in the manifest's order, then by version
	Layers   []*Layer // of all images, without duplicates, by pin; not the files of pins

	packages map[layerKey]*PackageLayer
}

// Image is one multi-architecture image.
type Image struct {
	Flavor     *Flavor
	Version    Version
	Iteration  int // from 1; see Revision
	Tag        string
	ContentTag string  // a second tag, a hash of the files; "" without one
	Repository string  // with the registry
	Labels     []Pair  // by key
	Builds     []Build // one for each platform, in the order of the index
}

// Name returns FLAVOR:TAG, "hyperkube:v1.36.0".
func (i Image) Name() string { return i.Flavor.Name + ":" + i.Tag }

// Package returns the Bazel package of the image, "images/rke/v1_36".
func (i Image) Package() string { return "images/" + i.Flavor.Name + "/" + i.Version.MinorLabel() }

// Architectures returns those of the index, in its order.
func (i Image) Architectures() []string {
	var all []string
	for _, b := range i.Builds {
		all = append(all, b.Platform.Arch())
	}
	return all
}

// Build is an image for one platform.
type Build struct {
	Platform Platform
	Base     BasePin // zero: scratch
	Layers   []Layer
}

// collect sets Layers. It returns an error for different layers with one label, of
// which Bazel would build only one.
func (c *Catalog) collect() []error {
	var errs []error
	type label struct{ pkg, name string }
	seen := map[label]*Layer{}
	for _, image := range c.Images {
		for _, build := range image.Builds {
			for i := range build.Layers {
				l := &build.Layers[i]
				if l.Pinned != nil {
					continue // its label has the image's tag
				}
				key := label{l.Package, l.Name}
				other, ok := seen[key]
				if !ok {
					seen[key] = l
					c.Layers = append(c.Layers, l)
				} else if !l.equal(*other) {
					errs = append(errs, fmt.Errorf("flavor %q: duplicate layer %s: %s, and %s",
						image.Flavor.Name, l.Label(), other.describe(), l.describe()))
				}
			}
		}
	}
	slices.SortFunc(c.Layers, func(a, b *Layer) int {
		if n := a.Pin.Compare(b.Pin.FileKey); n != 0 {
			return n
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return errs
}
