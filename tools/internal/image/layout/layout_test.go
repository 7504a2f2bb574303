package layout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

func TestOpen(t *testing.T) {
	for name, test := range map[string]struct {
		fill func(layout.Path) error
		want string
	}{
		"image": {func(p layout.Path) error { return p.AppendImage(empty.Image) }, "image"},
		"index": {func(p layout.Path) error { return p.AppendIndex(empty.Index) }, "index"},
		"none":  {func(layout.Path) error { return nil }, "got 0"},
		"two": {func(p layout.Path) error {
			return errors.Join(p.AppendImage(empty.Image), p.AppendIndex(empty.Index))
		}, "got 2"},
	} {
		dir := filepath.Join(t.TempDir(), "layout")
		p, err := layout.Write(dir, empty.Index)
		if err := errors.Join(err, os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755), test.fill(p)); err != nil {
			t.Fatal(err)
		}
		got := ""
		switch c, err := Open(dir); {
		case err != nil:
			got = err.Error()
		case c.Index != nil && c.Image == nil:
			got = "index"
		case c.Image != nil && c.Index == nil:
			got = "image"
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// writeIndex writes a layout of an index, and returns the path of its layer.
func writeIndex(t *testing.T) (dir, layer string) {
	t.Helper()
	img, err := random.Image(4096, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "layout")
	p, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = p.AppendIndex(mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img}))
	}
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "blobs", "sha256", manifest.Layers[0].Digest.Hex)
}

func verify(t *testing.T, dir string) error {
	t.Helper()
	content, err := Open(dir)
	if err != nil {
		return err
	}
	if len(content.Manifests) != 2 || len(content.Blobs) != 2 || content.Manifests[1].Digest != content.Digest {
		t.Errorf("manifests %v, blobs %v", content.Manifests, content.Blobs)
	}
	return content.Verify(t.Context())
}

// A changed byte in any file of a layout is an error.
func TestVerify(t *testing.T) {
	dir, layer := writeIndex(t)
	if err := verify(t, dir); err != nil {
		t.Fatal(err)
	}
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil || len(blobs) != 4 {
		t.Fatalf("got blobs %q, %v", blobs, err)
	}
	for _, blob := range blobs {
		raw, err := os.ReadFile(blob)
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(blob, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := verify(t, dir); err == nil || !strings.Contains(err.Error(), "want sha256 "+filepath.Base(blob)) {
			t.Errorf("%s: got %v", blob, err)
		}
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(blob, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// A layer that changes between Verify and an upload.
	content, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := content.Index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	image, err := content.Index.Image(manifests.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"", "want sha256 " + filepath.Base(layer)} {
		blob, err := layers[0].Compressed()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(blob)
		if err == nil != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		raw[len(raw)/2] ^= 1
		if err := errors.Join(blob.Close(), os.WriteFile(layer, raw, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(layer, 1); err != nil {
		t.Fatal(err)
	}
	if err := verify(t, dir); err == nil || !strings.Contains(err.Error(), "bytes, got 1\nFix: build the image again") {
		t.Errorf("truncated: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir, _ = writeIndex(t)
	if content, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	if err := content.Verify(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// The digest decides whether a symlink in place of a blob is followed. The files
// without a digest must be in the layout or in Bazel's output tree.
func TestSymlinks(t *testing.T) {
	// replace moves a file to another path, and leaves a symlink to it.
	replace := func(t *testing.T, file, to string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(file, to), os.Symlink(to, file)); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		file, to string // relative to the layout
		want     string // error; "" for none
	}{
		"layer":              {"LAYER", "../layer", ""},
		"index.json":         {"index.json", "../index.json", "refusing to follow the symlink"},
		"oci-layout":         {"oci-layout", "../oci-layout", "refusing to follow the symlink"},
		"within the layout":  {"index.json", "blobs/index.json", ""},
		"output tree":        {"index.json", "../execroot/_main/bazel-out/k8/bin/index.json", ""},
		"not an output tree": {"index.json", "../execroot/_main/index.json", "refusing to follow the symlink"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, layer := writeIndex(t)
			replace(t, strings.Replace(filepath.Join(dir, test.file), filepath.Join(dir, "LAYER"), layer, 1), filepath.Join(dir, test.to))
			// Runfiles have symlinks to directories.
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(dir, link); err != nil {
				t.Fatal(err)
			}
			err := verify(t, link)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	dir, layer := writeIndex(t)
	secret := filepath.Join(t.TempDir(), "secret")
	raw, err := os.ReadFile(layer)
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	if err := errors.Join(os.WriteFile(secret, raw, 0o600), os.Remove(layer), os.Symlink(secret, layer)); err != nil {
		t.Fatal(err)
	}
	if err := verify(t, dir); err == nil || !strings.Contains(err.Error(), "want sha256 "+filepath.Base(layer)) {
		t.Errorf("foreign symlink: got %v", err)
	}
}

func TestIndexDigest(t *testing.T) {
	dir, _ := writeIndex(t)
	content, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := content.IndexDigest(); err != nil || got != content.Digest.String() {
		t.Errorf("got %s, %v", got, err)
	}
	content.Index = nil
	if _, err := content.IndexDigest(); err == nil || !strings.Contains(err.Error(), "got an image") {
		t.Errorf("got %v", err)
	}
}

// A manifest may be in an index more than once, with one size.
func TestRepeatedManifest(t *testing.T) {
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	size, err := img.Size()
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []int64{size, size + 1} {
		dir := t.TempDir()
		p, err := layout.Write(dir, empty.Index)
		if err == nil {
			err = p.AppendIndex(mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img},
				mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Size: other}}))
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := Open(dir)
		if other == size && (err != nil || len(content.Manifests) != 2 || len(content.Blobs) != 2) {
			t.Errorf("got %+v, %v", content, err)
		}
		if want := fmt.Sprintf("want %d bytes, got %d", other, size); other != size && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
