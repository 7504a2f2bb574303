package versions

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sort"

	"github.com/Masterminds/semver/v3"
)

// across checks what no field shows alone.
func (p *manifestParser) across() {
	if len(p.m.Flavors) == 0 {
		p.errorf(nil, "flavors", "names none")
	}
	if len(p.m.Releases) == 0 {
		p.errorf(nil, "releases", "names none")
	}
	p.releases()
	p.flavorFiles()
	if len(p.errs) > 0 {
		return // half-read flavors would only add noise
	}
	p.bases()
	p.tags()
	p.names()
}

func (p *manifestParser) flavorFiles() {
	for _, f := range p.m.Flavors {
		at := "flavors." + f.Name
		if len(f.Platforms) == 0 {
			p.errorf(p.at[at], at+".architectures", "names none")
		}
		seen := map[Platform]bool{}
		for _, platform := range f.Platforms {
			if seen[platform] {
				p.errorf(p.at[at], at+".architectures", "names %s twice", platform.Arch())
			}
			seen[platform] = true
		}
		if len(f.Files) == 0 {
			p.errorf(p.at[at], at+".files", "names none")
		}
		if len(f.Entrypoint) == 0 {
			p.errorf(p.at[at], at+".entrypoint", "names none")
		}
		for i, file := range f.Files {
			for _, choice := range file.Sources {
				p.sourceOf(choice, fmt.Sprintf("%s.files[%d]", at, i))
			}
		}
		p.paths(f, at)
	}
}

// paths finds what would stand in one place, or below a file, in any release's
// image.
func (p *manifestParser) paths(f Flavor, at string) {
	said, seen := map[string]bool{}, map[string]bool{}
	fault := func(where, format string, args ...any) {
		if message := where + fmt.Sprintf(format, args...); !said[message] {
			said[message] = true
			p.errorf(p.at[at], where, format, args...)
		}
	}
	for _, r := range p.m.Releases {
		if f.Versions == nil || !admits(f.Versions, r.Version) {
			continue
		}
		// Most releases have the same files and links; once is enough.
		shape := f.shape(r.Version)
		if seen[shape] {
			continue
		}
		seen[shape] = true
		taken := map[string]string{}
		for i, file := range f.Files {
			if file.Path == "" || !has(file.Versions, r.Version) {
				continue
			}
			where := fmt.Sprintf("%s.files[%d]", at, i)
			if other, dup := taken[file.Path]; dup {
				fault(where+".path", "%q is the path of %s already", file.Path, other)
			}
			taken[file.Path] = where
		}
		for _, group := range f.Symlinks {
			if !has(group.Versions, r.Version) {
				continue
			}
			for _, link := range group.Links {
				where := at + ".symlinks." + link.Path
				if other, dup := taken[link.Path]; dup {
					fault(where, "is the path of %s already", other)
				}
				taken[link.Path] = cmp.Or(taken[link.Path], where)
			}
		}
		for _, path := range sortedKeys(taken) {
			for parent := filepath.Dir(path); parent != "/" && parent != "."; parent = filepath.Dir(parent) {
				if other, ok := taken[parent]; ok {
					fault(taken[path], "%q lies below %q, which is no folder but %s", path, parent, other)
				}
			}
		}
	}
}

// shape tells which files and groups of links a version has, a byte each.
func (f *Flavor) shape(v Version) string {
	shape := make([]byte, 0, len(f.Files)+len(f.Symlinks))
	mark := func(c *semver.Constraints) {
		if has(c, v) {
			shape = append(shape, '+')
		} else {
			shape = append(shape, '-')
		}
	}
	for _, file := range f.Files {
		mark(file.Versions)
	}
	for _, group := range f.Symlinks {
		mark(group.Versions)
	}
	return string(shape)
}

func (p *manifestParser) sourceOf(file SourceChoice, at string) {
	if file.Source == "" {
		return // said already
	}
	for _, s := range p.m.Sources {
		if s.Name != file.Source {
			continue
		}
		for _, f := range s.Files {
			if f.Name == file.File {
				return
			}
		}
		p.errorf(p.at[at], at+".source", "source %q has no file %q", file.Source, file.File)
		return
	}
	p.errorf(p.at[at], at+".source", "there is no source %q", file.Source)
}

func (p *manifestParser) releases() {
	where := map[Version]int{}
	for i, r := range p.m.Releases {
		at := fmt.Sprintf("releases[%d]", i)
		if r.Version == (Version{}) {
			continue // said already
		}
		if other, dup := where[r.Version]; dup {
			p.errorf(p.at[at], at, "%s is releases[%d] already", r.Version, other)
		}
		where[r.Version] = i
		for _, name := range sortedKeys(r.Iterations) {
			if !p.hasFlavor(name) {
				p.errorf(p.at[at], at+".iterations."+name, "there is no flavor %q", name)
			}
		}
	}
	sort.SliceStable(p.m.Releases, func(i, j int) bool {
		return p.m.Releases[i].Version.Compare(p.m.Releases[j].Version) < 0
	})
}

func (p *manifestParser) hasFlavor(name string) bool {
	for _, f := range p.m.Flavors {
		if f.Name == name {
			return true
		}
	}
	return false
}

// tags finds two images that would be pushed to one place.
func (p *manifestParser) tags() {
	owner := map[string]string{}
	for _, f := range p.m.Flavors {
		clash := map[string]bool{}
		for _, r := range p.m.Releases {
			if !admits(f.Versions, r.Version) {
				continue
			}
			ref := f.Repository + ":" + f.tag(f.revision(r))
			if other, dup := owner[ref]; dup && !clash[other] {
				clash[other] = true // one line a pair of flavors says it
				at := "flavors." + f.Name
				p.errorf(p.at[at], at+".tag", "pushes %s for %s, and so does %s", ref, r.Version, other)
			}
			owner[ref] = fmt.Sprintf("flavor %q", f.Name)
		}
	}
}

// names finds two targets of one name in images/BUILD.bazel.
func (p *manifestParser) names() {
	owner := map[string]string{}
	for _, f := range p.m.Flavors {
		clash := map[string]bool{}
		for _, r := range p.m.Releases {
			if !admits(f.Versions, r.Version) {
				continue
			}
			for _, name := range p.m.Targets(f, r) {
				if other, dup := owner[name]; dup && !clash[other] {
					clash[other] = true // one line a pair of flavors says it
					at := "flavors." + f.Name
					p.errorf(p.at[at], at, "makes the target //images:%s, and so does %s", name, other)
				}
				owner[name] = fmt.Sprintf("flavor %q", f.Name)
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
