package versions

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Changed returns the images that have one tag with both locks, and differ: as
// published tags are immutable, they need another iteration.
func Changed(m *Manifest, before, after *Lock) []Image {
	var changed []Image
	old, now := &Catalog{Manifest: m, Lock: before}, &Catalog{Manifest: m, Lock: after}
	for i := range m.Flavors {
		f := &m.Flavors[i]
		for _, r := range f.releases(m) {
			a, missing := old.image(f, f.revision(r))
			if len(missing) > 0 {
				continue // the image could not be built
			}
			if b, missing := now.image(f, f.revision(r)); len(missing) > 0 || a.InputHash() != b.InputHash() {
				changed = append(changed, a)
			}
		}
	}
	return changed
}

// RaiseIterations returns the text of a manifest with the next iterations of images.
// It changes only the lines of their releases.
func RaiseIterations(file string, text []byte, images []Image) ([]byte, error) {
	m, err := ParseManifest(file, text)
	if err != nil {
		return nil, err
	}
	for _, image := range images {
		if !HasIteration(image.Flavor.Tag) {
			return nil, fmt.Errorf("%s: raising the iteration of %s: its tag %q has neither {iteration} nor {-iteration}", file, image.Name(), image.Flavor.Tag)
		}
		i := slices.IndexFunc(m.Releases, func(r Release) bool { return r.Version == image.Version })
		r := &m.Releases[i]
		r.Iterations = maps.Clone(r.Iterations)
		if r.Iterations == nil {
			r.Iterations = map[string]int{}
		}
		r.Iterations[image.Flavor.Name] = image.Iteration + 1
		var pairs []string
		for _, flavor := range sortedKeys(r.Iterations) {
			pairs = append(pairs, fmt.Sprintf("%s: %d", flavor, r.Iterations[flavor]))
		}
		entry := fmt.Sprintf("{version: %s, iterations: {%s}}", r.Version, strings.Join(pairs, ", "))
		v := regexp.QuoteMeta(r.Version.String())
		line := regexp.MustCompile(`(?m)^( *- +)(?:` + v + `|\{(?:[^#\n]* )?version: *` + v + `(?:[ ,][^#\n]*)?\})( *(?:#.*)?)$`)
		if found := line.FindAllIndex(text, -1); len(found) != 1 {
			return nil, fmt.Errorf("%s: raising the iteration of %s: want one line with the release, got %d. Fix: write - %s", file, image.Name(), len(found), entry)
		}
		text = line.ReplaceAll(text, []byte("${1}"+entry+"${2}"))
	}
	raised, err := ParseManifest(file, text)
	if err == nil && !reflect.DeepEqual(raised.Releases, m.Releases) {
		err = fmt.Errorf("%s: raising iterations: the releases have an unknown form. Fix: raise those of %d images by hand", file, len(images))
	}
	return text, err
}
