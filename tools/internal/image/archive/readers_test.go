package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// The tarball reader of go-containerregistry finds every image by name.
func TestTarball(t *testing.T) {
	contents, raw := pack(t, None, []string{"linux/arm64", "linux/amd64"}, writeIndex(t, node), writeIndex(t, tool))
	file := filepath.Join(t.TempDir(), "images.tar")
	write(t, file, raw)
	for _, want := range contents.Images {
		tag, err := name.NewTag(want.Name)
		if err != nil {
			t.Fatal(err)
		}
		image, err := tarball.ImageFromPath(file, &tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(image); err != nil {
			t.Errorf("%s: %v", want.Name, err)
		}
		config, err := image.ConfigName()
		if err != nil || config.String() != want.Platforms[1].Config.String() {
			t.Errorf("%s: config %s, %v; want %s", want.Name, config, err, want.Platforms[1].Config)
		}
		file, err := image.ConfigFile()
		if err != nil || file.Architecture != "arm64" {
			t.Errorf("%s: got %+v, %v; want arm64", want.Name, file, err)
		}
	}
}

// An archive of one image can be read without a name.
func TestTarballSingleImage(t *testing.T) {
	_, raw := pack(t, None, nil, writeIndex(t, node))
	file := filepath.Join(t.TempDir(), "image.tar")
	write(t, file, raw)
	if _, err := tarball.ImageFromPath(file, nil); err != nil {
		t.Error(err)
	}
}

// An unpacked archive is an OCI layout.
func TestLayout(t *testing.T) {
	contents, raw := pack(t, None, nil, writeIndex(t, node), writeIndex(t, tool))
	dir := t.TempDir()
	for _, e := range entries(t, bytes.NewReader(raw)) {
		file := filepath.Join(dir, e.Name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, file, e.content)
	}
	top, err := ggcr.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(top); err != nil {
		t.Error(err)
	}
	list, err := top.IndexManifest()
	if err != nil || len(list.Manifests) != len(contents.Images) {
		t.Fatalf("%+v, %v", list, err)
	}
}
