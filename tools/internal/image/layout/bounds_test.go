//go:build unix

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
