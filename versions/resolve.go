package versions

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Catalog is every image that can be built: the manifest and the lock, joined.
type Catalog struct {
	Manifest *Manifest
	Lock     *Lock
	Images   []Image // by flavor in the manifest's order, then by version
}

// Image is one multi-architecture image.
type Image struct {
	Flavor     *Flavor
	Version    Version
	Tag        string
	Repository string  // with the registry
	Labels     []Pair  // by key
	Builds     []Build // one a platform, in the order of the index
}

// Build is an image for one platform.
type Build struct {
	Platform Platform
	Layers   []Layer
}

// Layer is one file of an image, or all of its symlinks. It is the same for
// every image that has the same file at the same path.
type Layer struct {
	Pin         Pin // zero for symlinks
	Path        string
	Mode        int64
	Symlinks    []Symlink
	Compression Compression
	// Package and Name make the Bazel label, which becomes part of the image's
	// history and so of its digest: they are for good.
	Package, Name string
}

// Label returns the Bazel label of the layer, "//images/layers/v1_36:…".
func (l Layer) Label() string { return "//" + l.Package + ":" + l.Name }

func (l Layer) equal(m Layer) bool {
	return l.Pin == m.Pin && l.Path == m.Path && l.Mode == m.Mode && l.Compression == m.Compression && slices.Equal(l.Symlinks, m.Symlinks)
}

// Resolve joins manifest and lock. The error names every pin that an image
// needs and the lock lacks.
func Resolve(m *Manifest, l *Lock) (*Catalog, error) {
	c := &Catalog{Manifest: m, Lock: l}
	var errs []error
	for i := range m.Flavors {
		f := &m.Flavors[i]
		if len(f.Bases) > 0 {
			errs = append(errs, fmt.Errorf("flavor %q: names a base image, and images are built on scratch only", f.Name))
			continue
		}
		for _, r := range m.Releases {
			if !admits(f.Kubernetes, r.Version) {
				continue
			}
			image, err := c.image(f, r)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			c.Images = append(c.Images, image)
		}
	}
	errs = append(errs, c.labels()...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// labels finds two layers of one name: Bazel would build one of them for both.
func (c *Catalog) labels() []error {
	var errs []error
	seen := map[string]Layer{}
	for _, image := range c.Images {
		for _, build := range image.Builds {
			for _, l := range build.Layers {
				other, ok := seen[l.Label()]
				if !ok {
					seen[l.Label()] = l
				} else if !l.equal(other) {
					errs = append(errs, fmt.Errorf("flavor %q: layer %s would be %s at %s, and %s at %s as well; rename one",
						image.Flavor.Name, l.Label(), other.Pin.FileKey, other.Path, l.Pin.FileKey, l.Path))
				}
			}
		}
	}
	return errs
}

// Image returns the image of a flavor and version; a flavor of "" is the
// default one.
func (c *Catalog) Image(flavor string, v Version) (Image, error) {
	if flavor == "" {
		flavor = c.Manifest.Flavors[0].Name
	}
	known := false
	for _, image := range c.Images {
		if image.Flavor.Name == flavor {
			if image.Version == v {
				return image, nil
			}
			known = true
		}
	}
	if !known {
		var names []string
		for _, f := range c.Manifest.Flavors {
			names = append(names, f.Name)
		}
		return Image{}, fmt.Errorf("there is no flavor %q with releases; flavors: %s", flavor, strings.Join(names, ", "))
	}
	return Image{}, fmt.Errorf("flavor %q has no release %s: add it to %s", flavor, v, ManifestFile)
}

func (c *Catalog) image(f *Flavor, r Release) (Image, error) {
	values := r.values(f)
	image := Image{
		Flavor: f, Version: r.Version, Tag: f.tag(r),
		Repository: c.Manifest.Registry + "/" + f.Repository,
	}
	for _, label := range f.Labels {
		image.Labels = append(image.Labels, Pair{label.Key, expand(label.Value, values)})
	}
	var errs []error
	for _, platform := range f.Platforms {
		build := Build{Platform: platform}
		for _, file := range f.Files {
			pin, err := c.pin(file, r.Version, platform)
			if err != nil {
				errs = append(errs, fmt.Errorf("flavor %q: %w", f.Name, err))
				continue
			}
			build.Layers = append(build.Layers, fileLayer(f, file, pin))
		}
		if len(f.Symlinks) > 0 {
			build.Layers = append(build.Layers, Layer{
				Symlinks: f.Symlinks, Compression: f.Compression,
				Package: "images/layers", Name: "symlinks_" + f.Name,
			})
		}
		image.Builds = append(image.Builds, build)
	}
	return image, errors.Join(errs...)
}

// URLOf returns where upstream has a file of a source, by the source's template.
func (s Source) URLOf(k FileKey) string {
	return expand(s.URL, map[string]string{
		"version": k.Version.String(), "os": k.Platform.OS(), "arch": k.Platform.Arch(), "file": k.File,
	})
}

// Has says whether the source declares the file for that version.
func (s Source) Has(k FileKey) bool {
	for _, f := range s.Files {
		if f.Name == k.File {
			return f.Kubernetes == nil || admits(f.Kubernetes, k.Version)
		}
	}
	return false
}

// Source returns the source of that name.
func (m *Manifest) Source(name string) (Source, bool) {
	for _, s := range m.Sources {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}

// Target returns the name of an image in the package //images.
func (m *Manifest) Target(f Flavor, tag string) string {
	name := Label(tag)
	if f.Name != m.Flavors[0].Name {
		name = Label(f.Name) + "_" + name
	}
	return name
}

// Targets returns all names that a release of a flavor has in //images.
func (m *Manifest) Targets(f Flavor, r Release) []string {
	name := m.Target(f, f.tag(r))
	names := []string{name, "push_" + name, "load_" + name}
	for _, p := range f.Platforms {
		names = append(names, name+"_"+p.Arch())
	}
	return names
}

// Label writes a tag or a name as Bazel labels have it here.
func Label(s string) string { return strings.NewReplacer(".", "_", "-", "_").Replace(s) }

// Wanted returns the files that the images of the manifest are made of, each
// once, by key: what the lock must have.
func (m *Manifest) Wanted() []FileKey {
	wanted := map[FileKey]bool{}
	for _, f := range m.Flavors {
		for _, r := range m.Releases {
			if !admits(f.Kubernetes, r.Version) {
				continue
			}
			for _, platform := range f.Platforms {
				for _, file := range f.Files {
					wanted[m.key(file, r.Version, platform)] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(wanted), FileKey.Compare)
}

// key names a flavor's file. A program that is built belongs to no version.
func (m *Manifest) key(file FlavorFile, v Version, p Platform) FileKey {
	key := FileKey{Source: file.Source, Version: v, Platform: p, File: file.File}
	if s, ok := m.Source(file.Source); ok && s.Kind == KindGoBuild {
		key.Version = Version{}
	}
	return key
}

func (c *Catalog) pin(file FlavorFile, v Version, p Platform) (Pin, error) {
	key := c.Manifest.key(file, v, p)
	pin, ok := c.Lock.Pin(key)
	if !ok {
		return Pin{}, fmt.Errorf("%s is not pinned in %s", key, LockFile)
	}
	return pin, nil
}

// fileLayer names the layer after what is in it: the file, its version and
// platform, and whatever else is not the usual.
func fileLayer(f *Flavor, file FlavorFile, pin Pin) Layer {
	l := Layer{Pin: pin, Path: file.Path, Mode: file.Mode, Compression: f.Compression, Package: "images/layers"}
	name := []string{pin.File}
	if pin.Version != (Version{}) {
		l.Package += "/" + pin.Version.MinorLabel()
		name = append(name, pin.Version.Label())
	}
	name = append(name, pin.Platform.Label())
	if pin.Source != "kubernetes" && pin.Version != (Version{}) {
		name = append(name, "from", pin.Source)
	}
	if path.Base(file.Path) != pin.File || path.Dir(file.Path) != "/" {
		name = append(name, "at"+strings.ReplaceAll(file.Path, "/", "_"))
	}
	if file.Mode != 0o755 {
		name = append(name, fmt.Sprintf("mode_%04o", file.Mode))
	}
	if f.Compression != Gzip {
		name = append(name, string(f.Compression))
	}
	l.Name = strings.Join(name, "_")
	return l
}

func (r Release) values(f *Flavor) map[string]string {
	return map[string]string{"version": r.Version.String(), "iteration": strconv.Itoa(max(1, r.Iterations[f.Name]))}
}

func (f *Flavor) tag(r Release) string { return expand(f.Tag, r.values(f)) }

func admits(c *semver.Constraints, v Version) bool {
	return c.Check(semver.New(uint64(v.major), uint64(v.minor), uint64(v.patch), "", ""))
}
