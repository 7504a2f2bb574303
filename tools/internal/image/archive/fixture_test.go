package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

const (
	node = "registry.example/hyperkube:v1.36.0"
	tool = "registry.example/kubectl:v1.36.0"
)

// files are the files of the images. The images share a layer.
var files = map[string][]string{node: {"kubelet", "kubectl"}, tool: {"kubectl"}}

// composeImages writes the layers of an image to dir and composes its manifests.
func composeImages(t testing.TB, dir, name string) []oci.Image {
	t.Helper()
	var list []oci.Image
	for _, arch := range []string{"amd64", "arm64"} {
		image := oci.ImageSpec{OS: "linux", Arch: arch, Entrypoint: []string{"/" + files[name][0]}}
		for _, file := range files[name] {
			content := bytes.Repeat([]byte(file+arch), 40_000)
			var b bytes.Buffer
			d, err := layer.Write(t.Context(), &b, versions.Gzip, layer.Entry{
				Path: "/" + file, Mode: 0o755, Size: int64(len(content)), Content: bytes.NewReader(content),
			})
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, d.Digest), b.Bytes())
			image.Layers = append(image.Layers, oci.Layer{Descriptor: d, Label: "//" + file})
		}
		m, err := oci.Compose(image)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// writeIndex writes the layout of an image for two platforms.
func writeIndex(t testing.TB, name string) Image {
	t.Helper()
	dir, blobs := t.TempDir(), t.TempDir()
	list := composeImages(t, blobs, name)
	index := oci.Index(list)
	copied := oci.CopyLayerFiles(func(digest string) string { return filepath.Join(blobs, digest) })
	if err := oci.WriteIndex(dir, index, list, copied); err != nil {
		t.Fatal(err)
	}
	return Image{name, dir}
}

// writeImage writes a single-platform layout whose layers are symlinks.
func writeImage(t testing.TB, name string) Image {
	t.Helper()
	dir, blobs := t.TempDir(), t.TempDir()
	m := composeImages(t, blobs, name)[0]
	err := oci.WriteImage(dir, m, func(digest, to string) error { return os.Symlink(filepath.Join(blobs, digest), to) })
	if err != nil {
		t.Fatal(err)
	}
	return Image{name, dir}
}

func write(t testing.TB, file string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// pack returns an archive and its contents.
func pack(t testing.TB, c Compression, platforms []string, images ...Image) (Contents, []byte) {
	t.Helper()
	a, err := New(images, platforms)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := a.Write(t.Context(), &b, c, nil); err != nil {
		t.Fatal(err)
	}
	return a.Contents, b.Bytes()
}

// entry is an entry of a tar.
type entry struct {
	tar.Header
	content []byte
}

func entries(t testing.TB, r io.Reader) (list []entry) {
	t.Helper()
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entry{*h, content})
	}
}

func find(t testing.TB, list []entry, name string) []byte {
	t.Helper()
	for _, e := range list {
		if e.Name == name {
			return e.content
		}
	}
	t.Fatalf("no entry %q", name)
	return nil
}

func sum(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

// layerOf returns the path of the first layer of a layout by name.
func layerOf(t testing.TB, dir string) string {
	t.Helper()
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range blobs {
		if !strings.HasPrefix(string(read(t, blob)), "{") {
			return blob
		}
	}
	t.Fatal("no layer")
	return ""
}
