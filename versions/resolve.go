package versions

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Resolve joins manifest and lock. The error has all missing pins. Pins of members
// of archives may be missing, because upstream publishes no checksums of archives:
// the images that need them are in [Catalog.Unpinned].
func Resolve(m *Manifest, l *Lock) (*Catalog, error) {
	c := &Catalog{Manifest: m, Lock: l}
	var errs []error
	for i := range m.Flavors {
		f := &m.Flavors[i]
		for _, r := range f.releases(m) {
			image, unpinned, missing := c.image(f, f.revision(r))
			switch {
			case len(missing) > 0:
				errs = append(errs, missing...)
			case len(unpinned.Missing) > 0:
				c.Unpinned = append(c.Unpinned, unpinned)
			default:
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

func (c *Catalog) image(f *Flavor, r Revision) (Image, Unpinned, []error) {
	image := Image{
		Flavor: f, Version: r.Version, Iteration: r.Iteration, Tag: f.tag(r),
		Repository: c.Manifest.Registry + "/" + f.Repository,
	}
	unpinned := Unpinned{Flavor: f.Name, Revision: r}
	for _, label := range f.Labels {
		image.Labels = append(image.Labels, Pair{label.Key, r.expand(label.Value)})
	}
	var errs []error
	selection := f.selection(r.Version)
	for _, platform := range f.Platforms {
		build := Build{Platform: platform, Layers: make([]Layer, 0, len(f.Files)+len(f.Symlinks))}
		var err error
		if build.Base, err = c.base(f, r.Version, platform); err != nil {
			errs = append(errs, err)
		}
		packages, missing := c.packageLayers(f, platform)
		build.Layers, errs = append(build.Layers, packages...), append(errs, missing...)
		for i, file := range f.Files {
			if selection[i] == '-' {
				continue
			}
			key, kind, err := c.Manifest.key(file, r, platform)
			if err != nil {
				errs = append(errs, fmt.Errorf("flavor %q: %w", f.Name, err))
				continue
			}
			pin, ok := c.Lock.Pin(key)
			switch {
			case ok:
				build.Layers = append(build.Layers, fileLayer(f, file, pin))
			case kind == KindArchive:
				unpinned.Missing = append(unpinned.Missing, key)
			default:
				errs = append(errs, fmt.Errorf("flavor %q: %s is not pinned in %s. Fix: go run ./tools/hk pin", f.Name, key, LockFile))
			}
		}
		for i, group := range f.Symlinks {
			if selection[len(f.Files)+i] == '+' {
				build.Layers = append(build.Layers, symlinkLayer(f, group))
			}
		}
		image.Builds = append(image.Builds, build)
	}
	if f.ContentTag {
		image.ContentTag = contentTag(image.Builds)
	}
	return image, unpinned, errs
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
// and without duplicates.
func (m *Manifest) RequiredFiles() []FileKey {
	wanted := map[FileKey]bool{}
	for _, f := range m.Flavors {
		for _, r := range f.releases(m) {
			for _, platform := range f.Platforms {
				for _, file := range f.Files {
					if key, _, err := m.key(file, f.revision(r), platform); err == nil && matches(file.Versions, r.Version) {
						wanted[key] = true
					}
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(wanted), FileKey.Compare)
}

// key returns the key of the file that a revision has at a path, and the kind of
// its source.
func (m *Manifest) key(file FlavorFile, r Revision, p Platform) (FileKey, SourceKind, error) {
	for _, choice := range file.Sources {
		if !choice.matches(r) {
			continue
		}
		key := FileKey{Source: choice.Source, Version: r.Version, Platform: p, File: choice.File}
		s, _ := m.Source(choice.Source)
		if s.Kind == KindGoBuild && s.Module == "." {
			key.Version = Version{}
		}
		return key, s.Kind, nil
	}
	return FileKey{}, "", fmt.Errorf("no source of %s matches %s, iteration %d", file.Path, r.Version, r.Iteration)
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

// matches reports whether a constraint matches a version; nil matches all.
func matches(c *semver.Constraints, v Version) bool {
	return c == nil || c.Check(v.semver())
}

func (v Version) semver() *semver.Version {
	return semver.New(uint64(v.major), uint64(v.minor), uint64(v.patch), "", "")
}
