package versions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Catalog has all images that can be built. [Resolve] makes it from a manifest and
// a lock.
type Catalog struct {
	Manifest *Manifest
	Lock     *Lock
	Images   []Image  // by flavor in the manifest's order, then by version
	Layers   []*Layer // of all images, without duplicates, by pin
	// Unpinned has the images that cannot be built, because members of archives
	// are not pinned yet.
	Unpinned []Unpinned

	packages map[layerKey]*PackageLayer
}

// Unpinned is an image with files that are not pinned.
type Unpinned struct {
	Flavor   string
	Revision Revision
	Missing  []FileKey
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

// Warnings returns those of the lock, and the unpinned releases, in one line for
// each flavor and file.
func (c *Catalog) Warnings() []string {
	type group struct{ flavor, source, file string }
	var order []group
	versions := map[group][]Version{}
	for _, w := range c.Unpinned {
		for _, key := range w.Missing {
			g := group{w.Flavor, key.Source, key.File}
			if versions[g] == nil {
				order = append(order, g)
			}
			if !slices.Contains(versions[g], w.Revision.Version) {
				versions[g] = append(versions[g], w.Revision.Version)
			}
		}
	}
	warnings := c.Lock.Warnings()
	for _, g := range order {
		warnings = append(warnings, fmt.Sprintf("flavor %q: %s/%s is not pinned in %s for %s, so these %d releases are skipped",
			g.flavor, g.source, g.file, LockFile, ranges(c.Manifest.Releases, versions[g]), len(versions[g])))
	}
	return warnings
}

// ranges formats some of all releases, both sorted, as ranges of consecutive
// releases: "v1.24.11 to v1.24.17, v1.25.7".
func ranges(all []Release, some []Version) string {
	var ranges []string
	for i := 0; i < len(some); {
		at := slices.IndexFunc(all, func(r Release) bool { return r.Version == some[i] })
		n := 1
		for i+n < len(some) && at+n < len(all) && all[at+n].Version == some[i+n] {
			n++
		}
		text := some[i].String()
		if n > 1 {
			text += " to " + some[i+n-1].String()
		}
		ranges = append(ranges, text)
		i += n
	}
	return strings.Join(ranges, ", ")
}
