package builddate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Two searches of one version may end in any order.
func TestAddKeepsOtherPhases(t *testing.T) {
	dir := t.TempDir()
	d := Database{Path: filepath.Join(dir, "dates.json"), Lock: filepath.Join(dir, "lock")}
	if err := os.WriteFile(d.Path, []byte(`{"schema": 1, "releases": []}`), 0o644); err != nil {
		t.Fatal(err)
	}
	commit := time.Date(2026, 4, 22, 13, 51, 51, 0, time.UTC)
	v := version(t, "v1.99.0")
	start := Release{
		Version: v, Commit: Commit{"00112233445566778899aabbccddeeff00112233", Proxy},
		CommitTime: Timestamp{Date: commit.Add(time.Hour), Source: Proxy},
	}
	for phase, found := range map[string]time.Time{"server": commit, "node": commit.Add(time.Hour), "client": commit.Add(time.Hour)} {
		if err := d.Add(t.Context(), start.With(phase, commit.Add(2*time.Hour), found), phase); err != nil {
			t.Fatal(err)
		}
	}
	dates, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	got := dates.Release(v)
	if len(got.Phases) != 3 || got.Commit != start.Commit {
		t.Errorf("got %+v, want three phases and the commit", got)
	}
	if !got.CommitTime.Date.Equal(commit) || got.CommitTime.Source != Search {
		t.Errorf("commit time %v, want %v, which one search found", got.CommitTime, commit)
	}
}

func TestEmbedded(t *testing.T) {
	dates, err := Database{}.Read()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(dates.Releases()); n < 100 {
		t.Errorf("%d embedded releases, want those of %s", n, File)
	}
	if err := (Database{}).Add(t.Context(), Release{}, "node"); err == nil || !strings.Contains(err.Error(), "checkout") {
		t.Errorf("adding to the embedded dates: error %v, want one that asks for a checkout", err)
	}
}
