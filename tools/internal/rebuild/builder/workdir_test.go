package builder

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestWorkDirs(t *testing.T) {
	parent := t.TempDir()
	first, err := newWorkDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(parent, "build-killed", "output"), 0o755); err != nil {
		t.Fatal(err)
	}
	second, err := newWorkDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(parent, "build-killed")); !os.IsNotExist(err) {
		t.Errorf("the directory of a killed build still exists (%v)", err)
	}
	if _, err := os.Stat(first.path); err != nil {
		t.Errorf("the directory of a running build was removed: %v", err)
	}
	if first.path == second.path {
		t.Error("two builds share a directory")
	}
	for _, w := range []*workDir{first, second} {
		if err := w.remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(parent, "build-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Concurrent builds must not remove the directories of each other.
func TestConcurrentWorkDirs(t *testing.T) {
	parent := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				w, err := newWorkDir(parent)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(w.path); err != nil {
					t.Errorf("removed while in use: %v", err)
				}
				if err := w.remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if left, _ := filepath.Glob(filepath.Join(parent, "build-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
