package vector

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/imagevector"
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

func releases(t *testing.T, list ...string) []versions.Version {
	t.Helper()
	var out []versions.Version
	for _, s := range list {
		out = append(out, version(t, s))
	}
	return out
}

// checkVector checks that a vector finds each image for its version only.
func checkVector(t *testing.T, text []byte, images []Image, all []versions.Version, want func(Image) string) {
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
		at("hyperkube", "v1.20.0", "v1.20.0-2", both), // another tag
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
	checkVector(t, text, images, all, byTag)
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
		t.Error("no error for an invalid repository")
	}
	second, err := Render(images, all)
	if err != nil || !bytes.Equal(text, second) {
		t.Errorf("second call: other output, %v", err)
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
	text, omitted, err := RenderPinned(images, all)
	if err != nil {
		t.Fatal(err)
	}
	if len(omitted) != 1 || omitted[0].Tag != "v1.19.1" {
		t.Errorf("omitted %+v", omitted)
	}
	checkVector(t, text, []Image{images[0], images[2]}, all, func(image Image) string { return byTag(image) + "@" + digest })
}

// The vector finds the image of each flavor and release of the manifest.
func TestCatalog(t *testing.T) {
	catalog, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	var all []versions.Version
	for _, r := range catalog.Manifest.Releases {
		all = append(all, r.Version)
	}
	images := Images(catalog, nil)
	if len(images) < 100 {
		t.Fatalf("only %d images", len(images))
	}
	text, err := Render(images, all)
	if err != nil {
		t.Fatal(err)
	}
	checkVector(t, text, images, all, byTag)
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
				t.Errorf("%s: unknown release %s: found %v", name, unknown, image)
			}
		}
	}

	pinned := map[string]string{}
	for i, image := range images {
		pinned[image.Name+":"+image.Tag] = fmt.Sprintf("sha256:%064x", i)
	}
	text, omitted, err := RenderPinned(Images(catalog, pinned), all)
	if err != nil || len(omitted) > 0 {
		t.Fatalf("%d images omitted, %v", len(omitted), err)
	}
	checkVector(t, text, images, all, func(image Image) string { return byTag(image) + "@" + pinned[image.Name+":"+image.Tag] })
}

func TestCommittedFile(t *testing.T) {
	catalog, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	var all []versions.Version
	for _, r := range catalog.Manifest.Releases {
		all = append(all, r.Version)
	}
	want, err := Render(Images(catalog, nil), all)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../../" + Path)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s is outdated: %v. Fix: go run ./tools/gen", Path, err)
	}
}
