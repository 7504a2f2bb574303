package vector

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

func version(t *testing.T, s string) versions.Version {
	t.Helper()
	v, err := versions.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// catalog returns a catalog of releases without images.
func catalog(t *testing.T, releases ...string) *versions.Catalog {
	t.Helper()
	c := &versions.Catalog{Manifest: &versions.Manifest{}}
	for _, s := range releases {
		c.Manifest.Releases = append(c.Manifest.Releases, versions.Release{Version: version(t, s)})
	}
	return c
}

// image returns an image for some architectures.
func image(t *testing.T, flavor, v, tag string, architectures ...string) versions.Image {
	t.Helper()
	i := versions.Image{Flavor: &versions.Flavor{Name: flavor}, Repository: "r.example.com/" + flavor, Version: version(t, v), Tag: tag}
	for _, arch := range architectures {
		p, err := versions.ParsePlatform("linux/" + arch)
		if err != nil {
			t.Fatal(err)
		}
		i.Builds = append(i.Builds, versions.Build{Platform: p})
	}
	return i
}

// load returns the catalog of this repository.
func load(t *testing.T) *versions.Catalog {
	t.Helper()
	c, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// checkVector checks that a vector finds each image of a catalog for its version
// only.
func checkVector(t *testing.T, text []byte, c *versions.Catalog, want func(versions.Image) string) {
	t.Helper()
	within := imagevector.Versions{}
	strict, err := imagevector.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	compatible, err := imagevector.Parse(text, imagevector.Compatible())
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		name    string
		version versions.Version
	}
	wanted := map[key]string{}
	names := map[string]bool{}
	for _, image := range c.Images {
		wanted[key{image.Flavor.Name, image.Version}] = want(image)
		names[image.Flavor.Name] = true
	}
	for name := range names {
		for _, r := range c.Manifest.Releases {
			v := r.Version
			for mode, vector := range map[string]*imagevector.Vector{"strict": strict, "compatible": compatible} {
				// Lookups of Gardener: the version of the worker, with or without v, no architecture.
				for _, text := range []string{v.String(), number(v)} {
					got := ""
					image, err := vector.Find(name, imagevector.RuntimeVersion(text), imagevector.TargetVersion(text))
					var none *imagevector.NotFoundError
					switch {
					case err == nil:
						got = image.String()
					case !errors.As(err, &none):
						t.Fatal(err)
					}
					if got != wanted[key{name, v}] {
						t.Errorf("%s: %s for %s: got %q, want %q", mode, name, text, got, wanted[key{name, v}])
					}
				}
			}
			one, err := imagevector.ParseVersions(v.String())
			if err != nil {
				t.Fatal(err)
			}
			if wanted[key{name, v}] != "" {
				within = within.Union(one)
			}
		}
		// No version has two entries with the same score.
		for _, c := range strict.Choices(name, "amd64", within) {
			if len(c.Tied) > 0 {
				t.Errorf("%s: entries %d and %v tie for %v", name, c.Entry, c.Tied, c.Versions)
			}
		}
	}
}

func byTag(image versions.Image) string { return image.Repository + ":" + image.Tag }

func TestRender(t *testing.T) {
	c := catalog(t, "v1.19.0", "v1.19.1", "v1.20.0", "v1.20.1", "v1.20.2", "v1.21.0", "v1.22.0")
	// The order of images and architectures must not matter.
	both := []string{"arm64", "amd64"}
	c.Images = []versions.Image{
		image(t, "hyperkube", "v1.22.0", "v1.22.0", both...),
		image(t, "hyperkube", "v1.19.0", "v1.19.0", both...), image(t, "hyperkube", "v1.19.1", "v1.19.1", "amd64", "arm64"),
		image(t, "hyperkube", "v1.20.0", "v1.20.0-2", both...), // another tag
		image(t, "hyperkube", "v1.20.1", "v1.20.1", both...),
		// no v1.20.2
		image(t, "hyperkube", "v1.21.0", "v1.21.0", both...),
		image(t, "amd", "v1.19.1", "v1.19.1", "amd64"), image(t, "amd", "v1.20.0", "v1.20.0", both...),
		image(t, "rke", "v1.21.0", "v1.21.0-rancher1", both...), image(t, "rke", "v1.22.0", "v1.22.0-rancher1", both...),
	}
	text, err := Render(c)
	if err != nil {
		t.Fatal(err)
	}
	checkVector(t, text, c, byTag)
	want := `images:
- name: amd
  repository: r.example.com/amd
  targetVersion: "= 1.19.1"
  architectures: [amd64]
- name: amd
  repository: r.example.com/amd
  targetVersion: "= 1.20.0"
- name: hyperkube
  repository: r.example.com/hyperkube
  targetVersion: ">= 1.19.0, <= 1.19.1"
- name: hyperkube
  repository: r.example.com/hyperkube
  tag: "v1.20.0-2"
  targetVersion: "= 1.20.0"
- name: hyperkube
  repository: r.example.com/hyperkube
  targetVersion: "= 1.20.1"
- name: hyperkube
  repository: r.example.com/hyperkube
  targetVersion: ">= 1.21.0, <= 1.22.0"
- name: rke
  repository: r.example.com/rke
  tag: "v1.21.0-rancher1"
  targetVersion: "= 1.21.0"
- name: rke
  repository: r.example.com/rke
  tag: "v1.22.0-rancher1"
  targetVersion: "= 1.22.0"
`
	if _, entries, _ := strings.Cut(string(text), "\nimages:\n"); "images:\n"+entries != want {
		t.Errorf("got:\n%s\nwant:\n%s", entries, want)
	}
	second, err := Render(c)
	if err != nil || !bytes.Equal(text, second) {
		t.Errorf("second call: other output, %v", err)
	}
	c.Images = append(c.Images, image(t, "hyperkube", "v1.19.0", "v1.19.0-2", both...))
	if _, err := Render(c); err == nil || !strings.Contains(err.Error(), `two images of "hyperkube" for v1.19.0`) {
		t.Errorf("two images for one version: %v", err)
	}
	c.Images = []versions.Image{image(t, "a", "v1.19.0", "v1.19.0", both...)}
	c.Images[0].Repository = "r.example.com/A"
	if _, err := Render(c); err == nil {
		t.Error("no error for an invalid repository")
	}
}

func TestRenderPinned(t *testing.T) {
	c := catalog(t, "v1.19.0", "v1.19.1", "v1.20.0")
	for _, r := range c.Manifest.Releases {
		c.Images = append(c.Images, image(t, "hyperkube", r.Version.String(), r.Version.String(), "amd64", "arm64"))
	}
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	text, omitted, err := RenderPinned(c, record.Records{"hyperkube:v1.19.0": {Index: digest}, "hyperkube:v1.20.0": {Index: digest}})
	if err != nil {
		t.Fatal(err)
	}
	if omitted != 1 {
		t.Errorf("%d images omitted, want that of v1.19.1", omitted)
	}
	c.Images = slices.Delete(c.Images, 1, 2)
	checkVector(t, text, c, func(image versions.Image) string { return byTag(image) + "@" + digest })
}

// The vector finds the image of each flavor and release of the manifest.
func TestCatalog(t *testing.T) {
	c := load(t)
	if len(c.Images) < 100 {
		t.Fatalf("only %d images", len(c.Images))
	}
	text, err := Render(c)
	if err != nil {
		t.Fatal(err)
	}
	checkVector(t, text, c, byTag)
	last := c.Manifest.Releases[len(c.Manifest.Releases)-1].Version
	for _, name := range []string{"hyperkube", "kubectl"} {
		v, err := imagevector.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var major, minor, patch int
		if _, err := fmt.Sscanf(last.String(), "v%d.%d.%d", &major, &minor, &patch); err != nil {
			t.Fatal(err)
		}
		for _, unknown := range []string{fmt.Sprintf("1.%d.0", minor+1), fmt.Sprintf("1.%d.%d", minor, patch+1), "1.18.0"} {
			if image, err := v.Find(name, imagevector.RuntimeVersion(unknown), imagevector.TargetVersion(unknown)); err == nil {
				t.Errorf("%s: unknown release %s: found %v", name, unknown, image)
			}
		}
	}

	records := record.Records{}
	for i, image := range c.Images {
		records[image.Name()] = record.Record{Index: fmt.Sprintf("sha256:%064x", i)}
	}
	text, omitted, err := RenderPinned(c, records)
	if err != nil || omitted > 0 {
		t.Fatalf("%d images omitted, %v", omitted, err)
	}
	checkVector(t, text, c, func(image versions.Image) string { return byTag(image) + "@" + records[image.Name()].Index })
}

func TestCommittedFile(t *testing.T) {
	want, err := Render(load(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../../" + Path)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s is outdated: %v. Fix: go run ./tools/gen", Path, err)
	}
}
