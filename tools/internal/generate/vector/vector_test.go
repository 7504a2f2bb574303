package vector

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/versions"
)

var update = flag.Bool("update", false, "write imagevector/images.yaml")

func version(t *testing.T, s string) versions.Version {
	t.Helper()
	v, err := versions.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func releases(t *testing.T, list ...string) []versions.Version {
	t.Helper()
	var out []versions.Version
	for _, s := range list {
		out = append(out, version(t, s))
	}
	return out
}

// resolves holds a vector to the images: each is found for its version alone.
func resolves(t *testing.T, text []byte, images []Image, all []versions.Version, want func(Image) string) {
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
	for _, image := range images {
		wanted[key{image.Name, image.Version}] = want(image)
		names[image.Name] = true
	}
	for name := range names {
		for _, v := range all {
			for mode, vector := range map[string]*imagevector.Vector{"strict": strict, "compatible": compatible} {
				// As Gardener looks it up: the worker's version, with and without v, no architecture.
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

func byTag(image Image) string { return image.Repository + ":" + image.Tag }

func TestRender(t *testing.T) {
	both := []string{"amd64", "arm64"}
	all := releases(t, "v1.19.0", "v1.19.1", "v1.20.0", "v1.20.1", "v1.20.2", "v1.21.0", "v1.22.0")
	at := func(name, v, tag string, architectures []string) Image {
		return Image{name, "r.example.com/" + name, version(t, v), tag, "", architectures}
	}
	images := []Image{
		at("hyperkube", "v1.22.0", "v1.22.0", both), // order must not matter
		at("hyperkube", "v1.19.0", "v1.19.0", both), at("hyperkube", "v1.19.1", "v1.19.1", both),
		at("hyperkube", "v1.20.0", "v1.20.0-2", both), // a tag of its own
		at("hyperkube", "v1.20.1", "v1.20.1", both),
		// no v1.20.2
		at("hyperkube", "v1.21.0", "v1.21.0", both),
		at("amd", "v1.19.1", "v1.19.1", []string{"amd64"}), at("amd", "v1.20.0", "v1.20.0", both),
		at("rke", "v1.21.0", "v1.21.0-rancher1", both), at("rke", "v1.22.0", "v1.22.0-rancher1", both),
	}
	text, err := Render(images, all)
	if err != nil {
		t.Fatal(err)
	}
	resolves(t, text, images, all, byTag)
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
	if _, err := Render(append(images, at("hyperkube", "v1.19.0", "v1.19.0-2", both)), all); err == nil || !strings.Contains(err.Error(), `two images of "hyperkube" for v1.19.0`) {
		t.Errorf("two images for one version: %v", err)
	}
	if _, err := Render([]Image{{"a", "r.example.com/A", version(t, "v1.19.0"), "v1.19.0", "", both}}, all); err == nil {
		t.Error("a repository that is none was written")
	}
	again, err := Render(images, all)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("the second time other bytes were written, %v", err)
	}
}

func TestRenderPinned(t *testing.T) {
	both := []string{"amd64", "arm64"}
	all := releases(t, "v1.19.0", "v1.19.1", "v1.20.0")
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	images := []Image{
		{"hyperkube", "r.example.com/hyperkube", all[0], "v1.19.0", digest, both},
		{"hyperkube", "r.example.com/hyperkube", all[1], "v1.19.1", "", both},
		{"hyperkube", "r.example.com/hyperkube", all[2], "v1.20.0", digest, both},
	}
	text, left, err := RenderPinned(images, all)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].Tag != "v1.19.1" {
		t.Errorf("left are %+v", left)
	}
	resolves(t, text, []Image{images[0], images[2]}, all, func(image Image) string { return byTag(image) + "@" + digest })
}

// Every release of the manifest has its own image, of every flavor that admits it.
func TestCatalog(t *testing.T) {
	catalog, _, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	var all []versions.Version
	for _, r := range catalog.Manifest.Releases {
		all = append(all, r.Version)
	}
	images := Of(catalog, nil)
	if len(images) < 100 {
		t.Fatalf("%d images are too few to mean anything", len(images))
	}
	text, err := Render(images, all)
	if err != nil {
		t.Fatal(err)
	}
	resolves(t, text, images, all, byTag)
	next := all[len(all)-1]
	for _, name := range []string{"hyperkube", "kubectl"} {
		v, err := imagevector.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var major, minor, patch int
		if _, err := fmt.Sscanf(next.String(), "v%d.%d.%d", &major, &minor, &patch); err != nil {
			t.Fatal(err)
		}
		for _, unknown := range []string{fmt.Sprintf("1.%d.0", minor+1), fmt.Sprintf("1.%d.%d", minor, patch+1), "1.18.0"} {
			if image, err := v.Find(name, imagevector.RuntimeVersion(unknown), imagevector.TargetVersion(unknown)); err == nil {
				t.Errorf("%s: there is no release %s, but %v is found", name, unknown, image)
			}
		}
	}

	pinned := map[string]string{}
	for i, image := range images {
		pinned[image.Name+":"+image.Tag] = fmt.Sprintf("sha256:%064x", i)
	}
	text, left, err := RenderPinned(Of(catalog, pinned), all)
	if err != nil || len(left) > 0 {
		t.Fatalf("%d images without digest, %v", len(left), err)
	}
	resolves(t, text, images, all, func(image Image) string { return byTag(image) + "@" + pinned[image.Name+":"+image.Tag] })
}

func TestFresh(t *testing.T) {
	catalog, _, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	var all []versions.Version
	for _, r := range catalog.Manifest.Releases {
		all = append(all, r.Version)
	}
	want, err := Render(Of(catalog, nil), all)
	if err != nil {
		t.Fatal(err)
	}
	file := "../../../../" + Path
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(got, want) {
		t.Fatalf("%s is stale. To mend: go run ./tools/gen", Path)
	}
	if err != nil {
		t.Fatal(err)
	}
}
