package main

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
		t.Errorf("the folder of a killed build is still there (%v)", err)
	}
	if _, err := os.Stat(first.dir); err != nil {
		t.Errorf("the folder of a build under way was swept: %v", err)
	}
	if first.dir == second.dir {
		t.Error("two builds have one folder")
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

// Builds begin and end all the time, each sweeping what others left.
func TestWorkDirsComeAndGo(t *testing.T) {
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
				if _, err := os.Stat(filepath.Join(w.dir, "lock")); err != nil {
					t.Errorf("swept while in use: %v", err)
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
