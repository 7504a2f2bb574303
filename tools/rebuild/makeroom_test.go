package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Room is made by what was used last longest ago.
func TestCachesByUse(t *testing.T) {
	dir := t.TempDir()
	for name, minutes := range map[string]int{"b": 1, "a": 3, "c": 2} {
		s := &step{cache: filepath.Join(dir, name)}
		if err := s.makeCache(); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(-minutes) * time.Minute)
		if err := os.Chtimes(s.cache, at, at); err != nil {
			t.Fatal(err)
		}
	}
	used := &step{cache: filepath.Join(dir, "a")}
	if err := used.makeCache(); err != nil { // used again
		t.Fatal(err)
	}
	caches, err := cachesByUse(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"c", "b", "a"} {
		if len(caches) != 3 || caches[i] != filepath.Join(dir, want) {
			t.Fatalf("got %q, want c, b, a", caches)
		}
	}
	if none, err := cachesByUse(filepath.Join(dir, "none")); err != nil || len(none) > 0 {
		t.Errorf("without a folder: got %q (error %v), want none", none, err)
	}
}
