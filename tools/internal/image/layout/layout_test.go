package layout

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
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

// A document of any size, or a FIFO in its place, is refused without reading it.
func TestOpenBounds(t *testing.T) {
	write := func(t *testing.T) (dir string, documents []string) {
		t.Helper()
		img, err := mutate.Config(empty.Image, v1.Config{User: "0"})
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
		blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
		if err != nil || len(blobs) != 3 {
			t.Fatalf("got blobs %q, %v; want index, manifest and config", blobs, err)
		}
		return dir, append(blobs, filepath.Join(dir, "index.json"))
	}
	for i := range 4 {
		dir, documents := write(t)
		if _, err := Open(dir); err != nil {
			t.Fatal(err)
		}
		// A sparse file takes no space.
		if err := os.Truncate(documents[i], 300<<20); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "want at most 4194304 bytes, got 314572800") {
			t.Errorf("%s: got %v", documents[i], err)
		}
		if err := errors.Join(os.Remove(documents[i]), syscall.Mkfifo(documents[i], 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("%s is a FIFO: got %v", documents[i], err)
		}
	}
}
