package versions

import (
	"fmt"
	"slices"
	"strings"
)

// Image returns the image of a name, FLAVOR:TAG. A name without a flavor is a
// tag of the default flavor, the first of the manifest.
func (c *Catalog) Image(name string) (Image, error) {
	flavor, tag, found := strings.Cut(name, ":")
	if !found {
		flavor, tag = c.Manifest.Flavors[0].Name, name
	}
	for _, image := range c.Images {
		if image.Flavor.Name == flavor && image.Tag == tag {
			return image, nil
		}
	}
	return Image{}, fmt.Errorf("unknown image %q: %s", name, c.explainUnknown(flavor, tag))
}

// explainUnknown says why no image has a flavor and tag, and which one was
// meant where that can be guessed.
func (c *Catalog) explainUnknown(name, tag string) string {
	i := slices.IndexFunc(c.Manifest.Flavors, func(f Flavor) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range c.Manifest.Flavors {
			names = append(names, f.Name)
		}
		return fmt.Sprintf("want a flavor of %s", strings.Join(names, ", ")) + c.didYouMean(name, tag)
	}
	f := c.Manifest.Flavors[i]
	r, err := ParseTag(f.Tag, tag)
	if err != nil {
		return err.Error() + c.didYouMean(name, tag)
	}
	i = slices.IndexFunc(c.Manifest.Releases, func(release Release) bool { return release.Version == r.Version })
	switch {
	case i < 0:
		return fmt.Sprintf("release %s is not in %s", r.Version, ManifestFile) + c.didYouMean(name, tag)
	case !matches(f.Versions, r.Version):
		return fmt.Sprintf("flavor %q is for versions %s", name, f.Versions)
	}
	return fmt.Sprintf("the iteration of %s is %d in %s", r.Version, f.revision(c.Manifest.Releases[i]).Iteration, ManifestFile) + c.didYouMean(name, tag)
}

// didYouMean suggests the name with the fewest edits from flavor and tag, the
// newest of several; nothing if it differs by more than typing errors.
func (c *Catalog) didYouMean(flavor, tag string) string {
	nearest, fewest := "", 2
	for _, image := range c.Images {
		edits := editDistance(image.Flavor.Name, flavor)
		if strings.HasPrefix(image.Tag, tag) {
			edits += min(len(image.Tag)-len(tag), 1)
		} else {
			edits += editDistance(image.Tag, tag)
		}
		if edits <= fewest {
			nearest, fewest = image.Name(), edits
		}
	}
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

// editDistance returns the number of bytes to insert, delete or replace to make
// b of a (the Levenshtein distance).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
