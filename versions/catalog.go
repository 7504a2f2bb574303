package versions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Catalog is every image that can be built: the manifest and the lock, joined.
type Catalog struct {
	Manifest *Manifest
	Lock     *Lock
	Images   []Image  // by flavor in the manifest's order, then by version
	Layers   []*Layer // of all images, each once, by pin
	// Unpinned are the images that cannot be offered, because nobody has yet
	// said which bytes one of their archives should have.
	Unpinned []Unpinned
}

// Unpinned is an image that lacks pins.
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
	ContentTag string  // a second tag, made of the files; "" without one
	Repository string  // with the registry
	Labels     []Pair  // by key
	Builds     []Build // one a platform, in the order of the index
}

// Name is what an image is known by, "hyperkube:v1.36.0".
func (i Image) Name() string { return i.Flavor.Name + ":" + i.Tag }

// Build is an image for one platform.
type Build struct {
	Platform Platform
	Base     BasePin // zero: scratch
	Layers   []Layer
}

// collect gathers the layers of all images, and finds two of one name: Bazel
// would build one of them for both.
func (c *Catalog) collect() []error {
	var errs []error
	seen := map[string]*Layer{}
	for _, image := range c.Images {
		for _, build := range image.Builds {
			for i := range build.Layers {
				l := &build.Layers[i]
				label := l.Label()
				other, ok := seen[label]
				if !ok {
					seen[label] = l
					c.Layers = append(c.Layers, l)
				} else if !l.equal(*other) {
					errs = append(errs, fmt.Errorf("flavor %q: layer %s would be %s at %s, and %s at %s as well; rename one",
						image.Flavor.Name, label, other.Pin.FileKey, other.Path, l.Pin.FileKey, l.Path))
				}
			}
		}
	}
	slices.SortFunc(c.Layers, func(a, b *Layer) int {
		return cmp.Or(a.Pin.Compare(b.Pin.FileKey), cmp.Compare(a.Name, b.Name))
	})
	return errs
}

// Warnings says, in a line a flavor and file, which releases are unpinned.
func (c *Catalog) Warnings() []string {
	type what struct{ flavor, source, file string }
	var order []what
	versions := map[what][]Version{}
	for _, w := range c.Unpinned {
		for _, key := range w.Missing {
			group := what{w.Flavor, key.Source, key.File}
			if versions[group] == nil {
				order = append(order, group)
			}
			if !slices.Contains(versions[group], w.Revision.Version) {
				versions[group] = append(versions[group], w.Revision.Version)
			}
		}
	}
	var warnings []string
	for _, group := range order {
		warnings = append(warnings, fmt.Sprintf("flavor %q: %s/%s is not pinned in %s for %s, so these %d releases are not offered",
			group.flavor, group.source, group.file, LockFile, rows(c.Manifest.Releases, versions[group]), len(versions[group])))
	}
	return warnings
}

// rows writes some of all releases, both sorted, as rows that no other release
// interrupts: "v1.24.11 to v1.24.17, v1.25.7".
func rows(all []Release, some []Version) string {
	var rows []string
	for i := 0; i < len(some); {
		at := slices.IndexFunc(all, func(r Release) bool { return r.Version == some[i] })
		n := 1
		for i+n < len(some) && at+n < len(all) && all[at+n].Version == some[i+n] {
			n++
		}
		row := some[i].String()
		if n > 1 {
			row += " to " + some[i+n-1].String()
		}
		rows = append(rows, row)
		i += n
	}
	return strings.Join(rows, ", ")
}
