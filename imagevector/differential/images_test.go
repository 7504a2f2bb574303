package differential

import (
	"os"
	"testing"

	gardener "github.com/gardener/gardener/pkg/utils/imagevector"

	"github.com/hyperkube/hyperkube/versions"
)

// Gardener finds exactly the image of every release in the vector of this repository.
func TestImages(t *testing.T) {
	text, err := os.ReadFile("../images.yaml")
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := gardener.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(catalog.Images) < 100 {
		t.Fatalf("found %d images, want 100 or more", len(catalog.Images))
	}
	type key struct{ name, version string }
	want := map[key]string{}
	for _, image := range catalog.Images {
		want[key{image.Flavor.Name, image.Version.String()}] = image.Repository + ":" + image.Tag
	}
	for _, flavor := range catalog.Manifest.Flavors {
		for _, release := range catalog.Manifest.Releases {
			version := release.Version.String()
			got := ""
			if image, err := v.FindImage(flavor.Name, gardener.RuntimeVersion(version), gardener.TargetVersion(version)); err == nil {
				got = image.String()
			}
			if got != want[key{flavor.Name, version}] {
				t.Errorf("%s for %s: Gardener finds %q, want %q", flavor.Name, version, got, want[key{flavor.Name, version}])
			}
		}
	}
}
