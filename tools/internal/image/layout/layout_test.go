package layout

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
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
