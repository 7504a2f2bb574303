//go:build unix

package layout

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A document of any size, or a FIFO in its place, is refused without reading it.
func TestOpenBounds(t *testing.T) {
	write := func(t *testing.T) (dir string, documents []string) {
		t.Helper()
		dir, layer := writeIndex(t)
		blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
		blobs = slices.DeleteFunc(blobs, func(blob string) bool { return blob == layer })
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
