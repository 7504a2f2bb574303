package oci

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// sample is the image that rules_oci 2.3.0 made the files in testdata/rules_oci
// from.
func sample(arch string) Image {
	const gzip = "application/vnd.oci.image.layer.v1.tar+gzip"
	return Image{
		OS: "linux", Arch: arch,
		Entrypoint: []string{"/sleep"},
		Env:        []versions.Pair{{Key: "A", Value: "1"}, {Key: "B", Value: "x y"}},
		Labels: []versions.Pair{
			{Key: "org.opencontainers.image.version", Value: "v1.36.0"},
			{Key: "org.a", Value: "b=c <&>é"},
		},
		Annotations: []versions.Pair{{Key: "x", Value: "y"}, {Key: "a", Value: "b"}},
		User:        "1", WorkingDir: "/w",
		Layers: []Layer{
			{Label: "//x:a", Descriptor: layer.Descriptor{
				MediaType: gzip, Size: 14092,
				Digest: "sha256:8931a485119255350d7d532eca2cb0872c9bfb9d30b281f46a3c40fa73617124",
				DiffID: "sha256:1d14c52dc1704af52f4c4cd0c7f932dab25348221e0901d1704869cc1c469c3c",
			}},
			{Label: "//x:b", Descriptor: layer.Descriptor{
				MediaType: gzip, Size: 920,
				Digest: "sha256:e9e97fff98da0619d6507c83a43bf0ea3d460582b12d605102248f6c3a0a2082",
				DiffID: "sha256:2c7baf7e9122c6f821d544259cc95761db38389a74ef826880040f6a137deb4d",
			}},
		},
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

func compose(t *testing.T, image Image) Manifest {
	t.Helper()
	m, err := Compose(image)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestComposeAsRulesOCI(t *testing.T) {
	amd64, arm64 := compose(t, sample("amd64")), compose(t, sample("arm64"))
	golden(t, "config.json", amd64.Config.Bytes)
	golden(t, "manifest.json", amd64.Bytes)
	index, err := Index([]Manifest{amd64, arm64})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "index.json", index.Bytes)
}

func TestLayouts(t *testing.T) {
	place := func(digest, to string) error { return os.WriteFile(to, []byte(digest), 0o644) }
	var images []Manifest
	for _, arch := range []string{"amd64", "arm64"} {
		dir := t.TempDir()
		m := compose(t, sample(arch))
		if err := WriteImage(dir, m, place); err != nil {
			t.Fatal(err)
		}
		if arch == "amd64" {
			golden(t, "image_layout_index.json", read(t, filepath.Join(dir, "index.json")))
		}
		back, err := ReadImage(dir)
		if err != nil {
			t.Fatal(err)
		}
		if back.Digest != m.Digest || back.Config.Digest != m.Config.Digest || len(back.Image.Layers) != 2 {
			t.Errorf("read back %+v, wrote %+v", back, m)
		}
		images = append(images, back)
	}
	index, err := Index(images)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := WriteIndex(dir, index, images, place); err != nil {
		t.Fatal(err)
	}
	golden(t, "index.json", read(t, filepath.Join(dir, blobPath(index.Digest))))
	golden(t, "index_layout_index.json", read(t, filepath.Join(dir, "index.json")))
	// Index, two manifests, two configs, and two layers that both images share.
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil || len(blobs) != 7 {
		t.Errorf("got %d blobs, want 7 (%v)", len(blobs), err)
	}
}

// An image without anything optional has an empty object and empty lists where
// rules_oci has them.
func TestComposeBare(t *testing.T) {
	m := compose(t, Image{OS: "linux", Arch: "amd64"})
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
	if _, err := Compose(Image{OS: "linux"}); err == nil {
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
