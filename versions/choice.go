package versions

import (
	"cmp"
	"fmt"
	"strings"
)

// choice returns the source of a file in the images of a revision. It is the same for
// all platforms.
func (m *Manifest) choice(l *Lock, f *Flavor, file FlavorFile, r Revision) (SourceChoice, error) {
	fix := ""
	for _, choice := range file.Sources {
		if !choice.matches(r) {
			continue
		}
		unpinned := m.unpinnedMember(l, f, choice, r)
		if unpinned == (FileKey{}) {
			return choice, nil
		}
		fix = fmt.Sprintf(": %s is not pinned in %s. Fix: go run ./tools/hk pin --archive %s=SHA256", unpinned, LockFile, unpinned)
	}
	return SourceChoice{}, fmt.Errorf("no source of %s matches %s, iteration %d%s", file.Path, r.Version, r.Iteration, fix)
}

// unpinnedMember returns the key of a member of an archive that the lock lacks for a
// platform of the flavor, and zero if there is none.
func (m *Manifest) unpinnedMember(l *Lock, f *Flavor, choice SourceChoice, r Revision) FileKey {
	if s, _ := m.Source(choice.Source); s.Kind != KindArchive {
		return FileKey{}
	}
	for _, platform := range f.Platforms {
		key := m.key(choice, r, platform)
		if _, ok := l.Pin(key); !ok {
			return key
		}
	}
	return FileKey{}
}

// key returns the key of a file of a source.
func (m *Manifest) key(choice SourceChoice, r Revision, p Platform) FileKey {
	key := FileKey{Source: choice.Source, Version: r.Version, Platform: p, File: choice.File}
	if s, _ := m.Source(choice.Source); s.Kind == KindGoBuild {
		key.Version = Version{}
	}
	return key
}

// sourcePlaceholder is the beginning of a placeholder, in a label, of the name of a
// file's source: {source:/kubelet}.
const sourcePlaceholder = "{source:"

// labelSources returns the paths in the placeholders of sources.
func labelSources(template string) []string {
	var paths []string
	for _, p := range placeholder.FindAllString(template, -1) {
		if path, ok := strings.CutPrefix(p, sourcePlaceholder); ok {
			paths = append(paths, strings.TrimSuffix(path, "}"))
		}
	}
	return paths
}

// expandSources replaces {source:PATH} by the source of the file at PATH.
func (f *Flavor) expandSources(template string, choices []SourceChoice) string {
	if !strings.Contains(template, sourcePlaceholder) {
		return template
	}
	for i, file := range f.Files {
		template = strings.ReplaceAll(template, sourcePlaceholder+file.Path+"}", choices[i].Source)
	}
	return template
}

// matches reports whether a choice matches a revision. Each of MinTags is the first
// matching revision of its minor version; all later minor versions match the
// newest of MinTags, and none match that are older than all of them.
func (c SourceChoice) matches(r Revision) bool {
	if !matches(c.Versions, r.Version) {
		return false
	}
	if len(c.MinTags) == 0 {
		return true
	}
	var start Revision
	for _, from := range c.MinTags {
		minor := cmp.Or(cmp.Compare(from.Version.major, r.Version.major), cmp.Compare(from.Version.minor, r.Version.minor))
		if minor <= 0 && from.Compare(start) > 0 {
			start = from
		}
	}
	return start != (Revision{}) && r.Compare(start) >= 0
}
