package layout

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// linkedLayout makes a layout as in Bazel's runfiles: the directory is a symlink,
// and so is one of its blobs.
func linkedLayout(t *testing.T) (dir, blob string) {
	t.Helper()
	root := t.TempDir()
	real := filepath.Join(root, "real")
	blobs := filepath.Join(real, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		filepath.Join(root, "layer"): "layer", filepath.Join(real, "index.json"): "{}", filepath.Join(blobs, "b"): "plain",
	} {
		if err := os.WriteFile(name, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	dir = filepath.Join(root, "link")
	if err := errors.Join(os.Symlink("../../../layer", filepath.Join(blobs, "a")), os.Symlink("real", dir)); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join("blobs", "sha256", "a")
}

func TestDereference(t *testing.T) {
	dir, blob := linkedLayout(t)
	resolved, remove, err := Dereference(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{blob: "layer", "blobs/sha256/b": "plain", "index.json": "{}"} {
		path := filepath.Join(resolved, name)
		got, err := os.ReadFile(path)
		if info, _ := os.Lstat(path); err != nil || string(got) != want || !info.Mode().IsRegular() {
			t.Errorf("%s: %q, %v, want a regular file with %q", name, got, err, want)
		}
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, blob)); err != nil {
		t.Errorf("the original layout was removed: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, blob)); err != nil {
		t.Fatal(err)
	}
	same, remove, err := Dereference(t.Context(), dir)
	if err != nil || !strings.HasSuffix(same, "real") {
		t.Errorf("got %q, %v, want the original layout, which has no symlinks any more", same, err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(same); err != nil {
		t.Errorf("the original layout was removed: %v", err)
	}
}

func TestDereferenceFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir, blob := linkedLayout(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if resolved, _, err := Dereference(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("got %q, %v", resolved, err)
	}
	if err := os.Remove(filepath.Join(dir, "..", "layer")); err != nil {
		t.Fatal(err)
	}
	if resolved, _, err := Dereference(t.Context(), dir); err == nil || !strings.Contains(err.Error(), filepath.Base(blob)) && !strings.Contains(err.Error(), "layer") {
		t.Errorf("got %q, %v, want an error about the missing layer", resolved, err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
