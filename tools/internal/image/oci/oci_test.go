package oci

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

const zstd = "application/vnd.oci.image.layer.v1.tar+zstd"

var layers = map[string][]Layer{
	"amd64": {
		{Label: "//images/layers/v1_36_0:kubelet_zstd_amd64", Descriptor: layer.Descriptor{
			MediaType: zstd, Size: 93,
			Digest: "sha256:dc41103d226828be5de2e70741306e0d5659245fc82f3a9f6ab42fb42524af09",
			DiffID: "sha256:3e0a38d8f2fdf55b7684acd0e77712c8b3c94fd4f9f12a57797b338c5f66422e",
		}},
		{Label: "//images/layers/v1_36_0:kubectl_zstd_amd64", Descriptor: layer.Descriptor{
			MediaType: zstd, Size: 93,
			Digest: "sha256:47f3017d2fd032f34a854efcdcf21686fe66006b5bca40db94ed48489a97d673",
			DiffID: "sha256:ea116fd4e5e824eea64a021ea61ab3deaea2c1256511e14db303e407f2b84be1",
		}},
	},
	"arm64": {
		{Label: "//images/layers/v1_36_0:kubelet_zstd_arm64", Descriptor: layer.Descriptor{
			MediaType: zstd, Size: 93,
			Digest: "sha256:96101024c341cff36f13b129c5801e1fd792e47562633af2744f47d489e0588d",
			DiffID: "sha256:bc95b8a9e86a52e7ba0e80b758c60f5f3510e77f3943cf86144189448660438b",
		}},
		{Label: "//images/layers/v1_36_0:kubectl_zstd_arm64", Descriptor: layer.Descriptor{
			MediaType: zstd, Size: 93,
			Digest: "sha256:be709850e8ecba38da1babe1e18b817fbc88e1dddc61ce8235c240e7254e16fc",
			DiffID: "sha256:964d8d8110f89a276a9021716917b1acf0a3c965d6ac5e78cb4aeb9d5d80981c",
		}},
	},
}

// sample is the image from which rules_oci 2.3.0 produced testdata/rules_oci.
func sample(arch string) ImageSpec {
	return ImageSpec{
		OS: "linux", Arch: arch,
		Cmd:         []string{"get", "pods"},
		Entrypoint:  []string{"/kubectl"},
		Env:         []versions.Pair{{Key: "PATH", Value: "/usr/bin:/bin"}, {Key: "A", Value: "1"}},
		Labels:      []versions.Pair{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}},
		Annotations: []versions.Pair{{Key: "org.opencontainers.image.version", Value: "v1.36.0"}, {Key: "a", Value: "first"}},
		User:        "65532:65532",
		WorkingDir:  "/tmp",
		Layers:      layers[arch],
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", "rules_oci", name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func compose(t *testing.T, image ImageSpec) Image {
	t.Helper()
	m, err := Compose(image)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestComposeMatchesRulesOCI(t *testing.T) {
	amd64, arm64 := compose(t, sample("amd64")), compose(t, sample("arm64"))
	golden(t, "config.json", amd64.Config.Bytes)
	golden(t, "manifest.json", amd64.Manifest.Bytes)
	index := Index([]Image{amd64, arm64})
	golden(t, "index.json", index.Bytes)
}

func TestLayouts(t *testing.T) {
	writeLayer := func(digest, path string) error { return os.WriteFile(path, []byte(digest), 0o644) }
	var images []Image
	for _, arch := range []string{"amd64", "arm64"} {
		dir := t.TempDir()
		m := compose(t, sample(arch))
		if err := WriteImage(dir, m, writeLayer); err != nil {
			t.Fatal(err)
		}
		if arch == "amd64" {
			golden(t, "image_layout_index.json", read(t, filepath.Join(dir, "index.json")))
		}
		base, err := ReadBase(dir)
		if err != nil {
			t.Fatal(err)
		}
		back := base.Image()
		if back.Manifest.Digest != m.Manifest.Digest || back.Config.Digest != m.Config.Digest || len(back.Layers) != 2 {
			t.Errorf("read back %+v, wrote %+v", back, m)
		}
		images = append(images, back)
	}
	index := Index(images)
	dir := t.TempDir()
	if err := WriteIndex(dir, index, images, writeLayer); err != nil {
		t.Fatal(err)
	}
	golden(t, "index.json", read(t, filepath.Join(dir, blobName(index.Digest))))
	golden(t, "index_layout_index.json", read(t, filepath.Join(dir, "index.json")))
	// The index, and a manifest, a config and two layers per image.
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil || len(blobs) != 9 {
		t.Errorf("got %d blobs, want 9 (%v)", len(blobs), err)
	}
}

// An image without optional fields has an empty object and empty lists, as with
// rules_oci.
func TestComposeBare(t *testing.T) {
	m := compose(t, ImageSpec{OS: "linux", Arch: "amd64"})
	const config = `{
  "created": "1970-01-01T00:00:00Z",
  "config": {},
  "history": [],
  "rootfs": {
    "type": "layers",
    "diff_ids": []
  },
  "architecture": "amd64",
  "os": "linux"
}`
	if string(m.Config.Bytes) != config {
		t.Errorf("got %s", m.Config.Bytes)
	}
	if _, err := Compose(ImageSpec{OS: "linux"}); err == nil {
		t.Error("an image without architecture was composed")
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
