package toolset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mustRollback rolls back and returns the results: "restored a, removed b".
func mustRollback(t *testing.T, dir string) string {
	t.Helper()
	results, err := Rollback(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, r := range results {
		words = append(words, string(r.Action)+" "+r.Name)
	}
	return strings.Join(words, ", ")
}

func TestRollback(t *testing.T) {
	for _, c := range []struct {
		name  string
		files string
		runs  []string
		did   string
		want  string
		again string
	}{
		{"newer program", "", []string{"a=1 b=2", "a=3"}, "restored a, unchanged b", "a=1 b=2", "restored a, unchanged b"},
		{"added program", "", []string{"a=1", "b=2"}, "unchanged a, removed b", "a=1", "unchanged a, restored b"},
		{"link", "", []string{"a=1 b=2 l->a", "a=1 b=2 l->b"}, "unchanged a, unchanged b, linked l", "a=1 b=2 l=1", "unchanged a, unchanged b, linked l"},
		{"added link", "", []string{"a=1", "a=1 l->a"}, "unchanged a, removed l", "a=1", "unchanged a, linked l"},
		{"files before the first run", "a=0 b=0 c=0", []string{"a=1 b=2"}, "restored a, restored b", "a=0 b=0 c=0", "restored a, restored b"},
		{"link before the first run", "x=9 a->x", []string{"a=1"}, "linked a", "a=9 x=9", "restored a"},
		{"three runs", "", []string{"a=1", "a=2", "a=3"}, "restored a", "a=2", "restored a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			create(t, dir, strings.Fields(c.files)...)
			for _, run := range c.runs {
				mustInstall(t, plan(dir, strings.Fields(run)...))
			}
			installed := contents(t, dir)
			for range 2 {
				if got := mustRollback(t, dir); got != c.did {
					t.Errorf("results %q; want %q", got, c.did)
				}
				if got := contents(t, dir); got != c.want {
					t.Errorf("contents %q; want %q", got, c.want)
				}
				checkClean(t, dir)
				if got := mustRollback(t, dir); got != c.again {
					t.Errorf("results of the second rollback %q; want %q", got, c.again)
				}
				if got := contents(t, dir); got != installed {
					t.Errorf("contents after the second rollback %q; want %q", got, installed)
				}
				checkClean(t, dir)
			}
			mustRollback(t, dir)
			mustInstall(t, plan(dir, "n=7"))
			if got, want := contents(t, dir), strings.Join(append(strings.Fields(c.want), "n=7"), " "); len(got) != len(want) {
				t.Errorf("contents after an installation %q; want %q", got, want)
			}
			mustRollback(t, dir)
			if got := contents(t, dir); got != c.want {
				t.Errorf("contents %q; want %q", got, c.want)
			}
			checkClean(t, dir)
		})
	}
}

func TestRollbackErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Rollback(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "no previous set") {
		t.Errorf("without a set: %v", err)
	}
	if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil {
		t.Errorf("directory has %v, %v; want nothing", entries, err)
	}
	mustInstall(t, plan(dir, "a=1"))
	if _, err := Rollback(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "no previous set") {
		t.Errorf("with one set: %v", err)
	}
	mustInstall(t, plan(dir, "a=2"))
	before := listing(t, dir)
	old := filepath.Join(dir, current, previousFile, "a")
	if err := os.WriteFile(old, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	var drift *DriftError
	if _, err := Rollback(t.Context(), Options{Dir: dir}); !errors.As(err, &drift) || !strings.Contains(err.Error(), `verifying "a" of the previous set: want sha256 `+sumOf("1").String()) {
		t.Errorf("with a damaged file: %v", err)
	}
	if err := os.WriteFile(old, []byte("1"), 0o755); err != nil {
		t.Fatal(err)
	}
	if after := listing(t, dir); strings.Count(after, "\n") != strings.Count(before, "\n") || contents(t, dir) != "a=2" {
		t.Errorf("got\n%swant\n%s", after, before)
	}
}

// A file that a user put in the place of a program stays.
func TestRollbackKeepsForeignFiles(t *testing.T) {
	dir := t.TempDir()
	mustInstall(t, plan(dir, "a=1 b=1"))
	mustInstall(t, plan(dir, "a=2"))
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	create(t, dir, "a=9")
	if got := mustRollback(t, dir); !strings.Contains(got, "skipped a") {
		t.Errorf("results %q", got)
	}
	if got := contents(t, dir); !strings.Contains(got, "a=9") {
		t.Errorf("contents %q", got)
	}
}

// Metadata that cannot be used prevents neither an installation nor a rollback.
func TestDamagedMetadata(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"missing":     func(string) error { return nil },
		"empty":       func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"no JSON":     func(path string) error { return os.WriteFile(path, []byte("{\"programs\": {\"a\""), 0o600) },
		"null":        func(path string) error { return os.WriteFile(path, []byte("null"), 0o600) },
		"wrong sum":   func(path string) error { return os.WriteFile(path, []byte(`{"programs":{"a":{"sha256":"x"}}}`), 0o600) },
		"other names": func(path string) error { return os.WriteFile(path, []byte(`{"programs":{"../../a":{}}}`), 0o600) },
		"large":       func(path string) error { return os.WriteFile(path, []byte(strings.Repeat(" ", maxRecord+1)), 0o600) },
		"pipe":        func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":   func(path string) error { return os.Mkdir(path, 0o700) },
		"symlink":     func(path string) error { return os.Symlink("/etc/passwd", path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mustInstall(t, plan(dir, "a=1 b=1"))
			mustInstall(t, plan(dir, "a=1", "b=1"))
			mustInstall(t, plan(dir, "a=2"))
			for _, set := range []string{current, current + "/" + previousFile} {
				path := filepath.Join(dir, set, recordFile)
				if err := errors.Join(os.Remove(path), damage(path)); err != nil {
					t.Fatal(err)
				}
			}
			sets, err := Inspect(t.Context(), Options{Dir: dir}, true)
			if err != nil || len(sets) != 2 {
				t.Fatalf("got %v, %v", sets, err)
			}
			for _, set := range sets {
				for _, m := range set.Members {
					if m.Verify() == nil {
						t.Errorf("verified %+v without a record", m)
					}
				}
			}
			mustRollback(t, dir)
			if got := contents(t, dir); got != "a=1 b=1" {
				t.Errorf("contents %q", got)
			}
			mustRollback(t, dir)
			mustInstall(t, plan(dir, "c=3"))
			if got := contents(t, dir); got != "a=2 b=1 c=3" {
				t.Errorf("contents %q", got)
			}
			checkVerified(t, dir)
			checkClean(t, dir)
		})
	}
	for name, target := range map[string]string{"itself": "../4", "outside": "../../../..", "absolute": "/", "missing": "../99", "file": "../../lock"} {
		t.Run("previous is "+name, func(t *testing.T) {
			dir := t.TempDir()
			mustInstall(t, plan(dir, "a=1"))
			mustInstall(t, plan(dir, "a=2"))
			link := filepath.Join(dir, current, previousFile)
			if err := errors.Join(os.Remove(link), os.Symlink(target, link)); err != nil {
				t.Fatal(err)
			}
			if _, err := Rollback(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "no previous set") {
				t.Errorf("got %v", err)
			}
			mustInstall(t, plan(dir, "a=3"))
			mustRollback(t, dir)
			if got := contents(t, dir); got != "a=2" {
				t.Errorf("contents %q", got)
			}
			checkClean(t, dir)
		})
	}
}

// checkVerified fails if a file of the current set is not the recorded one.
func checkVerified(t *testing.T, dir string) {
	t.Helper()
	sets, err := Inspect(t.Context(), Options{Dir: dir}, true)
	if err != nil || len(sets) == 0 {
		t.Fatalf("got %v, %v", sets, err)
	}
	for _, m := range sets[0].Members {
		if err := m.Verify(); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}

// A directory of a former version of this program, which wrote no metadata.
func TestFormerVersion(t *testing.T) {
	dir := t.TempDir()
	set := filepath.Join(dir, setPath(3, ""))
	if err := os.MkdirAll(set, 0o755); err != nil {
		t.Fatal(err)
	}
	create(t, set, "a=1", "b=2", "l->a")
	create(t, dir, current+"->sets/3", "a->"+currentPath("a"), "b->"+currentPath("b"), "l->"+currentPath("l"))
	sets, err := Inspect(t.Context(), Options{Dir: dir}, true)
	if err != nil || len(sets) != 1 || !errors.Is(sets[0].RecordErr, fs.ErrNotExist) || len(sets[0].Members) != 3 {
		t.Errorf("got %+v, %v", sets, err)
	}
	if got := mustInstall(t, plan(dir, "a=5", "b=2")); got != "installed a, unchanged b" {
		t.Errorf("results %q", got)
	}
	checkVerified(t, dir)
	if got := mustRollback(t, dir); got != "restored a, unchanged b, unchanged l" {
		t.Errorf("results %q", got)
	}
	if got := contents(t, dir); got != "a=1 b=2 l=1" {
		t.Errorf("contents %q", got)
	}
	mustRollback(t, dir)
	if got := contents(t, dir); got != "a=5 b=2 l=5" {
		t.Errorf("contents %q", got)
	}
	checkClean(t, dir)
}

// A program that has changed since, and is now given as the source, is recorded anew.
func TestRecordOfChangedProgram(t *testing.T) {
	dir := t.TempDir()
	mustInstall(t, plan(dir, "a=1", "b=2"))
	if err := os.WriteFile(filepath.Join(dir, current, "b"), []byte("9"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := mustInstall(t, plan(dir, "a=3", "b=9")); got != "installed a, unchanged b" {
		t.Errorf("results %q", got)
	}
	checkVerified(t, dir)
}

func TestInspect(t *testing.T) {
	dir := t.TempDir()
	if sets, err := Inspect(t.Context(), Options{Dir: dir}, true); sets != nil || err != nil {
		t.Errorf("nothing installed: got %v, %v", sets, err)
	}
	if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil {
		t.Errorf("directory has %v, %v; want nothing", entries, err)
	}
	mustInstall(t, plan(dir, "a=1", "b=2", "c=3", "l->a"))
	later := plan(dir, "a=1", "b=4")
	later.Now = testTime.Add(time.Hour)
	mustInstall(t, later)
	show := func() string {
		sets, err := Inspect(t.Context(), Options{Dir: dir}, true)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, set := range sets {
			for _, m := range set.Members {
				lines = append(lines, fmt.Sprint(set.Current, " ", set.Time.Format("15:04"), " ", m.Name, m.Target, " ", m.Since.Format("15:04"), " ", m.Source, " ", m.Verify()))
			}
		}
		return strings.Join(lines, "\n")
	}
	want := `true 04:04 a 03:04 source of 1 <nil>
true 04:04 b 04:04 source of 4 <nil>
true 04:04 c 03:04 source of 3 <nil>
true 04:04 la 00:00  <nil>
false 03:04 a 03:04 source of 1 <nil>
false 03:04 b 03:04 source of 2 <nil>
false 03:04 c 03:04 source of 3 <nil>
false 03:04 la 00:00  <nil>`
	if got := show(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, current, "c")), os.WriteFile(filepath.Join(dir, current, "b"), []byte("x"), 0o755), os.Remove(filepath.Join(dir, "a")), os.WriteFile(filepath.Join(dir, "a"), []byte("1"), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"c 03:04 source of 3 missing file", "b 04:04 source of 4 want sha256", "a 03:04 source of 1 the directory has another file"} {
		if got := show(); !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %s", got, want)
		}
	}
}
