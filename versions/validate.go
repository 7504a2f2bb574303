package versions

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/Masterminds/semver/v3"
)

// validate checks fields that depend on other fields.
func (p *manifestParser) validate() {
	if len(p.m.Flavors) == 0 {
		p.errorf(nil, "flavors", "must not be empty")
	}
	if len(p.m.Releases) == 0 && !p.tooMany {
		p.errorf(nil, "releases", "must not be empty")
	}
	if n := len(p.m.Releases) * len(p.m.Flavors); n > maxImages {
		p.errorf(nil, "releases", "want at most %d images, got %d releases of %d flavors", maxImages, len(p.m.Releases), len(p.m.Flavors))
		return
	}
	p.validateReleases()
	p.validateFlavors()
	if len(p.errs) > 0 {
		return // incomplete flavors cause misleading errors below
	}
	p.validateBases()
	p.validateDebian()
	p.validateUnique(".tag", "tag ", func(f Flavor, r Release) []string {
		return []string{f.Repository + ":" + f.tag(f.revision(r))}
	})
	p.validateUnique("", "target //images:", p.m.Targets)
}

func (p *manifestParser) validateFlavors() {
	for _, f := range p.m.Flavors {
		at := "flavors." + f.Name
		if len(f.Platforms) == 0 {
			p.errorf(p.nodes[at], at+".architectures", "must not be empty")
		}
		seen := map[Platform]bool{}
		for _, platform := range f.Platforms {
			if seen[platform] {
				p.errorf(p.nodes[at], at+".architectures", "duplicate %s", platform.Arch())
			}
			seen[platform] = true
		}
		if len(f.Files) == 0 {
			p.errorf(p.nodes[at], at+".files", "must not be empty")
		}
		if len(f.Entrypoint) == 0 {
			p.errorf(p.nodes[at], at+".entrypoint", "must not be empty")
		}
		for i, file := range f.Files {
			for _, choice := range file.Sources {
				p.validateChoice(choice, fmt.Sprintf("%s.files[%d]", at, i))
			}
		}
		for _, label := range f.Labels {
			for _, path := range labelSources(label.Value) {
				if !slices.ContainsFunc(f.Files, func(file FlavorFile) bool { return file.Path == path }) {
					p.errorf(p.nodes[at], at+".labels."+label.Key, "{source:%s}: the flavor has no file %q", path, path)
				}
			}
		}
		p.validatePaths(f, at)
	}
}

// validatePaths finds files and symlinks of one path, and those whose parent is
// not a directory, in the images of all releases.
func (p *manifestParser) validatePaths(f Flavor, at string) {
	reported, seen := map[string]bool{}, map[string]bool{}
	report := func(where, format string, args ...any) {
		if message := where + fmt.Sprintf(format, args...); !reported[message] {
			reported[message] = true
			p.errorf(p.nodes[at], where, format, args...)
		}
	}
	if f.Versions == nil {
		return // reported already
	}
	for _, r := range f.releases(p.m) {
		// Most releases have the same files and symlinks: check these once.
		selection := f.selection(r.Version)
		if seen[selection] {
			continue
		}
		seen[selection] = true
		taken := map[string]string{}
		if f.Pins != "" {
			taken[f.Pins] = at + ".pins"
		}
		for i, file := range f.Files {
			if file.Path == "" || !matches(file.Versions, r.Version) {
				continue
			}
			where := fmt.Sprintf("%s.files[%d]", at, i)
			if other, dup := taken[file.Path]; dup {
				report(where+".path", "duplicate path %q, also of %s", file.Path, other)
			}
			taken[file.Path] = where
		}
		for _, group := range f.Symlinks {
			if !matches(group.Versions, r.Version) {
				continue
			}
			for _, link := range group.Links {
				where := at + ".symlinks." + link.Path
				if other, dup := taken[link.Path]; dup {
					report(where, "duplicate path, also of %s", other)
				}
				taken[link.Path] = cmp.Or(taken[link.Path], where)
			}
		}
		for _, file := range sortedKeys(taken) {
			for parent := path.Dir(file); parent != "/" && parent != "."; parent = path.Dir(parent) {
				if other, ok := taken[parent]; ok {
					report(taken[file], "%q is below %q, which is not a directory but %s", file, parent, other)
				}
			}
		}
	}
}

// selection has a byte for each file and each group of symlinks: '+' if the
// image of the version has it, '-' if not.
func (f *Flavor) selection(v Version) string {
	selection := make([]byte, 0, len(f.Files)+len(f.Symlinks))
	version := v.semver()
	mark := func(c *semver.Constraints) {
		if c == nil || c.Check(version) {
			selection = append(selection, '+')
		} else {
			selection = append(selection, '-')
		}
	}
	for _, file := range f.Files {
		mark(file.Versions)
	}
	for _, group := range f.Symlinks {
		mark(group.Versions)
	}
	return string(selection)
}

func (p *manifestParser) validateChoice(file SourceChoice, at string) {
	if file.Source == "" {
		return // reported already
	}
	s, ok := p.m.Source(file.Source)
	switch {
	case !ok:
		p.errorf(p.nodes[at], at+".source", "unknown source %q", file.Source)
	case !slices.ContainsFunc(s.Files, func(f SourceFile) bool { return f.Name == file.File }):
		p.errorf(p.nodes[at], at+".source", "source %q has no file %q", file.Source, file.File)
	}
}

// validateReleases finds duplicates and sorts releases by version.
func (p *manifestParser) validateReleases() {
	where := map[Version]int{}
	for i, r := range p.m.Releases {
		at := fmt.Sprintf("releases[%d]", i)
		if r.Version == (Version{}) {
			continue // reported already
		}
		if other, dup := where[r.Version]; dup {
			p.errorf(p.nodes[at], at, "duplicate release %s, also releases[%d]", r.Version, other)
		}
		where[r.Version] = i
		for _, name := range sortedKeys(r.Iterations) {
			if !slices.ContainsFunc(p.m.Flavors, func(f Flavor) bool { return f.Name == name }) {
				p.errorf(p.nodes[at], at+".iterations."+name, "unknown flavor %q", name)
			}
		}
	}
	slices.SortStableFunc(p.m.Releases, func(a, b Release) int { return a.Version.Compare(b.Version) })
}

// validateUnique checks that no two flavors have a name, such as a tag, in common.
func (p *manifestParser) validateUnique(field, kind string, names func(Flavor, Release) []string) {
	owner := map[string]string{}
	for _, f := range p.m.Flavors {
		clash := map[string]bool{} // one error for each pair of flavors
		this := fmt.Sprintf("flavor %q", f.Name)
		for _, r := range f.releases(p.m) {
			for _, name := range names(f, r) {
				if other, dup := owner[name]; dup && !clash[other] {
					clash[other] = true
					at := "flavors." + f.Name
					p.errorf(p.nodes[at], at+field, "duplicate %s%s for %s, also of %s", kind, name, r.Version, other)
				}
				owner[name] = this
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
