package versions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Debian is the section debian of the manifest: sets of packages for layers.
type Debian struct {
	Suite string // codename of the release, "trixie"
	// Exclude and Include are those of all layers; see [PackageLayer].
	Exclude, Include []string
	Sets             []DebianSet // by name
}

// DebianSet is a set of Debian packages in the manifest.
type DebianSet struct {
	PackageSet          // without Packages, which are in the lock
	Extends    string   // the set below, "" for none
	Requires   []string // names of packages; their dependencies are added
	// Optional sets are pinned only if a flavor uses them.
	Optional bool
}

// Chain returns a set and those that it extends, the lowest first; nil for an unknown
// set.
func (d *Debian) Chain(name string) []DebianSet {
	var chain []DebianSet
	for name != "" && len(chain) <= len(d.Sets) {
		i := slices.IndexFunc(d.Sets, func(s DebianSet) bool { return s.Name == name })
		if i < 0 {
			return nil
		}
		chain = append(chain, d.Sets[i])
		name = d.Sets[i].Extends
	}
	slices.Reverse(chain)
	return chain
}

// RequiredPackageSets returns the sets that must be pinned for all platforms, each
// after the set that it extends.
func (m *Manifest) RequiredPackageSets() []DebianSet {
	if m.Debian == nil {
		return nil
	}
	var required []DebianSet
	add := func(name string) {
		for _, s := range m.Debian.Chain(name) {
			if !slices.ContainsFunc(required, func(other DebianSet) bool { return other.Name == s.Name }) {
				required = append(required, s)
			}
		}
	}
	for _, s := range m.Debian.Sets {
		if !s.Optional {
			add(s.Name)
		}
	}
	for _, f := range m.Flavors {
		add(f.Packages)
	}
	return required
}

// UnpinnedPackages returns the keys of the packages of a set and of those below that
// the lock lacks for a platform: all, if it has those of another suite.
func (m *Manifest) UnpinnedPackages(l *Lock, set string, platform Platform) []string {
	var keys []string
	pinned := map[string]bool{}
	for _, s := range m.Debian.Chain(set) {
		for _, pin := range l.Packages(s.Name, platform) {
			pinned[pin.Name] = l.Suite() == m.Debian.Suite
		}
		for _, name := range s.Requires {
			if !pinned[name] {
				keys = append(keys, packageKey(s.Name, platform, name))
			}
		}
	}
	return keys
}

// packageLayers returns the layers of a set of packages and of those below. The same
// layer is the same pointer in all images.
func (c *Catalog) packageLayers(f *Flavor, platform Platform) ([]Layer, []error) {
	if f.Packages == "" {
		return nil, nil
	}
	if c.packages[layerKey{f.Packages, platform}] == nil { // not checked yet
		var errs []error
		for _, key := range c.Manifest.UnpinnedPackages(c.Lock, f.Packages, platform) {
			errs = append(errs, fmt.Errorf("flavor %q: package %s of %s is not pinned in %s. Fix: go run ./tools/hk pin",
				f.Name, key, c.Manifest.Debian.Suite, LockFile))
		}
		if len(errs) > 0 {
			return nil, errs
		}
	}
	chain := c.Manifest.Debian.Chain(f.Packages)
	layers := make([]Layer, len(chain))
	for i := range chain {
		layers[i] = Layer{
			Packages: c.packageLayer(chain[:i+1], platform), Compression: f.Compression,
			Package: "images/layers", Name: "debian_" + chain[i].Name + "_" + platform.Label(),
		}
		if f.Compression != Gzip {
			layers[i].Name += "_" + string(f.Compression)
		}
	}
	return layers, nil
}

// packageLayer returns the layer of the last set of a chain.
func (c *Catalog) packageLayer(chain []DebianSet, platform Platform) *PackageLayer {
	key := layerKey{chain[len(chain)-1].Name, platform}
	if l := c.packages[key]; l != nil {
		return l
	}
	l := &PackageLayer{Platform: platform, Exclude: c.Manifest.Debian.Exclude, Include: c.Manifest.Debian.Include}
	for _, s := range chain {
		set := s.PackageSet
		set.Packages = c.Lock.Packages(s.Name, platform)
		l.Sets = append(l.Sets, set)
	}
	l.inputs = l.hash()
	if c.packages == nil {
		c.packages = map[layerKey]*PackageLayer{}
	}
	c.packages[key] = l
	return l
}

type layerKey struct {
	set      string
	platform Platform
}

// Name returns the name of the last set.
func (l *PackageLayer) Name() string { return l.Sets[len(l.Sets)-1].Name }

// Pins returns the packages of all sets.
func (l *PackageLayer) Pins() []PackagePin {
	var all []PackagePin
	for _, s := range l.Sets {
		all = append(all, s.Packages...)
	}
	return all
}

// Snapshot is the time at which snapshot.debian.org has the pinned packages of an
// archive.
type Snapshot struct {
	Suite   string `json:"suite"`
	Archive string `json:"archive"` // "debian" or "debian-security"
	Time    string `json:"time"`    // "20261128T000000Z"
}

// URL returns the URL of the archive at that time.
func (s Snapshot) URL() string {
	return "https://snapshot.debian.org/archive/" + s.Archive + "/" + s.Time
}

// Key returns the key of the pin, "debian/slim/linux/amd64/libc6". Pins of several
// keys may be of the same file.
func (p PackagePin) Key() string { return packageKey(p.Set, p.Platform, p.Name) }

func packageKey(set string, platform Platform, name string) string {
	return packageSource + set + "/" + platform.String() + "/" + name
}

// packageSource is the beginning of the keys of packages.
const packageSource = "debian/"

// IsPackageKey reports whether a key is that of a package.
func IsPackageKey(key string) bool { return strings.HasPrefix(key, packageSource) }

// Compare orders pins by set, platform and name.
func (p PackagePin) Compare(q PackagePin) int {
	return cmp.Or(cmp.Compare(p.Set, q.Set), p.Platform.compare(q.Platform), cmp.Compare(p.Name, q.Name))
}
