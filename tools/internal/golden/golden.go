// Package golden compares the output of tests with golden files. With -update,
// one flag for every package that imports this one, it writes them instead.
package golden

import (
	"bytes"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// Update reports whether golden files are written. It is for files that [File]
// and [Dir] cannot compare, such as a part of a txtar archive.
func Update() bool { return *update }

// File compares got with the golden file.
func File(t testing.TB, file string, got []byte) {
	t.Helper()
	if *update {
		write(t, file, got)
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("reading a golden file: %v; -update writes it", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("output differs from the golden file; -update accepts it\n%s", diff.Diff(file, want, "output", got))
	}
}

// Dir compares got, the content of files by their slash-separated paths, with the
// files in dir whose names end in suffix. The suffix is no part of the paths.
func Dir(t testing.TB, dir, suffix string, got map[string][]byte) {
	t.Helper()
	want := list(t, dir, suffix)
	if *update {
		for _, name := range want {
			if _, ok := got[name]; !ok {
				if err := os.Remove(filepath.Join(dir, name+suffix)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for name, content := range got {
			write(t, filepath.Join(dir, name+suffix), content)
		}
		return
	}
	if names := slices.Sorted(maps.Keys(got)); len(names) == 0 || !slices.Equal(names, want) {
		t.Errorf("got files %q, want %q in %q; -update accepts them", names, want, dir)
	}
	for _, name := range want {
		if content, ok := got[name]; ok {
			File(t, filepath.Join(dir, name+suffix), content)
		}
	}
}

func list(t testing.TB, dir, suffix string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(name, suffix) {
			names = append(names, strings.TrimSuffix(name, suffix))
		}
		return err
	})
	if err != nil {
		t.Fatalf("listing golden files: %v", err)
	}
	slices.Sort(names)
	return names
}

func write(t testing.TB, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
