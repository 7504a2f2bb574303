package search

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestCheckpoints(t *testing.T) {
	f := checkpointFile(filepath.Join(t.TempDir(), "search", "checkpoints.json"))
	if err := os.MkdirAll(filepath.Dir(string(f)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(string(f), []byte(`[{"Next":3}]`), 0o644); err != nil { // of another form
		t.Fatal(err)
	}
	for _, c := range []struct {
		search string
		next   int64
	}{{"other", 3}, {"first", 5}, {"first", 7}} {
		if err := f.save(c.search, c.next); err != nil {
			t.Fatal(err)
		}
	}
	got, err := f.read()
	if want := map[string]int64{"first": 7, "other": 3}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, error %v, want %v", got, err, want)
	}
	keys := map[string]bool{
		searchKey("p", "w", searchSpace{}): true, searchKey("x", "w", searchSpace{}): true,
		searchKey("p", "x", searchSpace{}): true, searchKey("p", "w", searchSpace{lag: offset{0, 3}}): true,
	}
	if len(keys) != 4 {
		t.Errorf("searches of another program, sha256 or space share a checkpoint: %v", keys)
	}
}
