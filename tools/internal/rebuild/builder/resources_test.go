package builder

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLeastRecentlyUsed(t *testing.T) {
	dir := t.TempDir()
	for name, minutes := range map[string]int{"b": 1, "a": 3, "c": 2} {
		cache := filepath.Join(dir, name)
		if err := makeCache(cache); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(-minutes) * time.Minute)
		if err := os.Chtimes(cache, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := makeCache(filepath.Join(dir, "a")); err != nil { // used again
		t.Fatal(err)
	}
	caches, err := leastRecentlyUsed(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"c", "b", "a"} {
		if len(caches) != 3 || caches[i].Name() != want {
			t.Fatalf("got %v, want c, b, a", caches)
		}
	}
	if none, err := leastRecentlyUsed(filepath.Join(dir, "none")); err != nil || len(none) > 0 {
		t.Errorf("missing directory: got %v (error %v), want none", none, err)
	}
}
