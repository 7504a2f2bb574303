package versions

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Resolve joins manifest and lock. The error has all missing pins.
func Resolve(m *Manifest, l *Lock) (*Catalog, error) {
	c := &Catalog{Manifest: m, Lock: l}
	var errs []error
	for i := range m.Flavors {
		f := &m.Flavors[i]
		for _, r := range f.releases(m) {
			image, missing := c.image(f, f.revision(r))
			if errs = append(errs, missing...); len(missing) == 0 {
				c.Images = append(c.Images, image)
			}
		}
	}
	errs = append(errs, c.collect()...)
	if err := joinUnique(errs); err != nil {
		return nil, err
	}
	return c, nil
}

// joinUnique joins errors without duplicates: the same pin may be missing for
// every release.
func joinUnique(errs []error) error {
	seen := map[string]bool{}
	return joinFirst(slices.DeleteFunc(errs, func(err error) bool {
		duplicate := seen[err.Error()]
		seen[err.Error()] = true
		return duplicate
	}))
}

// maxErrors is the number of errors that are reported in full.
const maxErrors = 20

// joinFirst joins the first errors, and the number of the others.
func joinFirst(errs []error) error {
	if n := len(errs); n > maxErrors {
		errs = append(slices.Clone(errs[:maxErrors]), fmt.Errorf("%d more errors", n-maxErrors))
	}
	return errors.Join(errs...)
}

func (c *Catalog) image(f *Flavor, r Revision) (Image, []error) {
	image := Image{
		Flavor: f, Version: r.Version, Iteration: r.Iteration, Tag: f.tag(r),
		Repository: c.Manifest.Registry + "/" + f.Repository,
	}
	var errs []error
	selection := f.selection(r.Version)
	choices := make([]SourceChoice, len(f.Files))
	for i, file := range f.Files {
		if selection[i] == '-' {
			continue
		}
		var err error
		if choices[i], err = c.Manifest.choice(c.Lock, f, file, r); err != nil {
			errs = append(errs, fmt.Errorf("flavor %q: %w", f.Name, err))
		}
	}
	for _, label := range f.Labels {
		image.Labels = append(image.Labels, Pair{label.Key, r.expand(f.expandSources(label.Value, choices))})
	}
	for _, platform := range f.Platforms {
		build := Build{Platform: platform}
		var err error
		if build.Base, err = c.base(f, r.Version, platform); err != nil {
			errs = append(errs, err)
		}
		packages, missing := c.packageLayers(f, platform)
		errs = append(errs, missing...)
		build.Layers = append(make([]Layer, 0, len(packages)+len(f.Files)+len(f.Symlinks)+1), packages...)
		for i, file := range f.Files {
			if choices[i].File == "" {
				continue
			}
			key := c.Manifest.key(choices[i], r, platform)
			pin, ok := c.Lock.Pin(key)
			if !ok {
				errs = append(errs, fmt.Errorf("flavor %q: %s is not pinned in %s. Fix: go run ./tools/hk pin", f.Name, key, LockFile))
				continue
			}
			build.Layers = append(build.Layers, fileLayer(f, file, pin))
		}
		pinned := build.Layers[len(packages):]
		for i, group := range f.Symlinks {
			if selection[len(f.Files)+i] == '+' {
				build.Layers = append(build.Layers, symlinkLayer(f, group))
			}
		}
		if f.Pins != "" {
			build.Layers = append(build.Layers, pinsLayer(image, platform, pinned))
		}
		image.Builds = append(image.Builds, build)
	}
	if f.ContentTag {
		image.ContentTag = contentTag(image.Builds)
	}
	return image, errs
}

// Target returns the name of an image's target in the package //images.
func (m *Manifest) Target(f Flavor, tag string) string {
	name := Label(tag)
	if f.Name != m.Flavors[0].Name {
		name = Label(f.Name) + "_" + name
	}
	return name
}

// Targets returns the names of all targets in //images of a flavor's release.
func (m *Manifest) Targets(f Flavor, r Release) []string {
	name := m.Target(f, f.tag(f.revision(r)))
	names := []string{name, "push_" + name, "load_" + name, "save_" + name, "test_" + name}
	for _, p := range f.Platforms {
		names = append(names, name+"_"+p.Arch(), "test_"+name+"_"+p.Arch())
	}
	return names
}

// Label returns a tag or name as labels have it, with _ in place of . and -.
func Label(s string) string { return labelReplacer.Replace(s) }

var labelReplacer = strings.NewReplacer(".", "_", "-", "_")

// RequiredFiles returns the keys of the files in all images of the manifest, sorted
// and without duplicates. The lock decides between sources; see [SourceChoice].
func (m *Manifest) RequiredFiles(l *Lock) []FileKey {
	wanted := map[FileKey]bool{}
	for i := range m.Flavors {
		f := &m.Flavors[i]
		for _, release := range f.releases(m) {
			r := f.revision(release)
			for _, file := range f.Files {
				if !matches(file.Versions, r.Version) {
					continue
				}
				choice, err := m.choice(l, f, file, r)
				if err != nil {
					continue // Resolve reports it
				}
				for _, platform := range f.Platforms {
					wanted[m.key(choice, r, platform)] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(wanted), FileKey.Compare)
}

// releases returns the releases that have an image of the flavor.
func (f *Flavor) releases(m *Manifest) []Release {
	return slices.DeleteFunc(slices.Clone(m.Releases), func(r Release) bool { return !matches(f.Versions, r.Version) })
}

// revision returns the revision of a release that the flavor builds.
func (f *Flavor) revision(r Release) Revision {
	return Revision{r.Version, max(1, r.Iterations[f.Name])}
}

func (f *Flavor) tag(r Revision) string { return r.expand(f.Tag) }

// ParseConstraint returns the condition of a constraint like ">= 1.24.0".
func ParseConstraint(s string) (func(Version) bool, error) {
	c, err := parseConstraint(s)
	return func(v Version) bool { return matches(c, v) }, err
}

// matches reports whether a constraint matches a version; nil matches all.
func matches(c *semver.Constraints, v Version) bool {
	return c == nil || c.Check(v.semver())
}

func (v Version) semver() *semver.Version {
	return semver.New(uint64(v.major), uint64(v.minor), uint64(v.patch), "", "")
}
