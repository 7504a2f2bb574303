package audit

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// Flavor returns the flavor with a name, or that whose repository a repository's path
// ends with. The error exits with [cli.ExitUsage].
func Flavor(m *versions.Manifest, repository, name string) (*versions.Flavor, error) {
	_, repoPath, _ := strings.Cut(repository, "/")
	var found []*versions.Flavor
	var names []string
	for i := range m.Flavors {
		f := &m.Flavors[i]
		names = append(names, f.Name)
		if name == f.Name {
			return f, nil
		}
		if name != "" || !strings.HasSuffix("/"+repoPath, "/"+f.Repository) {
			continue
		}
		if len(found) > 0 && len(f.Repository) > len(found[0].Repository) {
			found = nil
		}
		found = append(found, f)
	}
	switch {
	case name != "":
		return nil, cli.Usage("--flavor: unknown flavor %q: want one of %s", name, strings.Join(names, ", "))
	case len(found) != 1:
		return nil, cli.Usage("the name of the repository %q does not say which flavor it has. Fix: pass --flavor with one of %s", repository, strings.Join(names, ", "))
	}
	return found[0], nil
}

// Expected has the tags of a flavor that a repository may have.
type Expected struct {
	flavor    *versions.Flavor
	releases  map[versions.Version]int // the current iteration of each release
	images    map[string]image         // by tag
	contents  map[string][]string      // the tags of images by content tag
	recorded  map[string]string        // the digest on record by tag
	ignore    []string                 // patterns of tags
	inCatalog int
}

// image is an image of the manifest.
type image struct {
	contentTag string
	required   bool
}

// Expect returns the tags of the images of a flavor, of which those of the required
// versions must exist. Tags that match a pattern of [path.Match] are ignored.
func Expect(c *versions.Catalog, records record.Records, f *versions.Flavor, required func(versions.Version) bool, ignore []string) (Expected, error) {
	for _, pattern := range ignore {
		if _, err := path.Match(pattern, ""); err != nil {
			return Expected{}, cli.Usage("--ignore: pattern %q: %w", pattern, err)
		}
	}
	e := Expected{f, map[versions.Version]int{}, map[string]image{}, map[string][]string{}, map[string]string{}, ignore, 0}
	for _, i := range c.Images {
		if i.Flavor.Name != f.Name {
			continue
		}
		e.releases[i.Version] = i.Iteration
		e.images[i.Tag] = image{i.ContentTag, required(i.Version)}
		if i.ContentTag != "" {
			e.contents[i.ContentTag] = append(e.contents[i.ContentTag], i.Tag)
		}
		if required(i.Version) {
			e.inCatalog++
		}
	}
	if e.inCatalog == 0 {
		return Expected{}, cli.Usage("--versions: flavor %q has no image of these versions", f.Name)
	}
	for name, r := range records {
		if flavor, tag, _ := strings.Cut(name, ":"); flavor == f.Name && r.Index != "" {
			e.recorded[tag] = r.Index
		}
	}
	return e, nil
}

// class says what a tag is.
type class int

const (
	extra      class = iota
	known            // of an image of this flavor, of this or an earlier iteration
	content          // the content tag of an image of the manifest
	oldContent       // perhaps the content tag of an earlier iteration
	attachment       // the list of referrers of a digest, or a signature of cosign 2
	ignored
)

var (
	attachmentPattern = regexp.MustCompile(`^sha256-[0-9a-f]{64}(\.(sig|att|sbom))?$`)
	contentPattern    = regexp.MustCompile(`^files-[0-9a-f]{64}$`)
)

func (e Expected) class(tag string) class {
	_, inManifest := e.images[tag]
	_, onRecord := e.recorded[tag]
	switch {
	case inManifest || onRecord || e.isEarlier(tag):
		return known
	case len(e.contents[tag]) > 0:
		return content
	case slices.ContainsFunc(e.ignore, func(pattern string) bool { ok, _ := path.Match(pattern, tag); return ok }):
		return ignored
	case attachmentPattern.MatchString(tag):
		return attachment
	case e.flavor.ContentTag && contentPattern.MatchString(tag):
		return oldContent
	}
	return extra
}

// isEarlier reports whether a tag is that of an earlier iteration, which the manifest
// does not have.
func (e Expected) isEarlier(tag string) bool {
	r, err := versions.ParseTag(e.flavor.Tag, tag)
	current, ok := e.releases[r.Version]
	return err == nil && ok && r.Iteration < current
}

// explainExtra says why a tag is none of the flavor's.
func (e Expected) explainExtra(tag string) string {
	r, err := versions.ParseTag(e.flavor.Tag, tag)
	if err != nil {
		return fmt.Sprintf("flavor %q has no such tag", e.flavor.Name)
	}
	if current, ok := e.releases[r.Version]; ok {
		return fmt.Sprintf("the iteration of %s is %d in %s", r.Version, current, versions.ManifestFile)
	}
	return fmt.Sprintf("flavor %q has no image of %s in %s", e.flavor.Name, r.Version, versions.ManifestFile)
}
