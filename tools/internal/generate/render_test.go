package generate

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bazelbuild/buildtools/build"
	"github.com/hyperkube/hyperkube/versions"
)

var update = flag.Bool("update", false, "write the golden files")

// A golden folder has the manifest and the lock, and beside them the files that
// they make, named .want so that Bazel does not take them for packages.
func TestFiles(t *testing.T) {
	cases, err := os.ReadDir("testdata")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) {
			dir := filepath.Join("testdata", c.Name())
			catalog, _, err := versions.LoadFrom(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			files := Files(catalog)
			if *update {
				writeGolden(t, dir, files)
			}
			want := readGolden(t, dir)
			if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
				t.Errorf("files %q, want %q", got, slices.Sorted(maps.Keys(want)))
			}
			for name, text := range files {
				if !bytes.Equal(text, want[name]) {
					t.Errorf("%s: got\n%s\nwant\n%s", name, text, want[name])
				}
			}
		})
	}
}

func readGolden(t *testing.T, dir string) map[string][]byte {
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".want") {
			return err
		}
		files[strings.TrimSuffix(name, ".want")], err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func writeGolden(t *testing.T, dir string, files map[string][]byte) {
	if err := os.RemoveAll(filepath.Join(dir, "images")); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		file := filepath.Join(dir, name+".want")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// many is a catalog with n versions.
func many(tb testing.TB, n int) *versions.Catalog {
	c, _, err := versions.Load()
	if err != nil {
		tb.Fatal(err)
	}
	m := *c.Manifest
	lock := versions.NewLock()
	for _, pin := range c.Lock.Pins() {
		lock.Set(pin)
	}
	m.Releases = nil
	for i := range n {
		v, err := versions.ParseVersion(fmt.Sprintf("v1.%d.%d", 100+i/20, i%20))
		if err != nil {
			tb.Fatal(err)
		}
		m.Releases = append(m.Releases, versions.Release{Version: v})
		for _, name := range []string{"kubelet", "kubectl"} {
			for _, p := range m.Flavors[0].Platforms {
				lock.Set(versions.Pin{FileKey: versions.FileKey{Source: "kubernetes", Version: v, Platform: p, File: name}})
			}
		}
	}
	many, err := versions.Resolve(&m, lock)
	if err != nil {
		tb.Fatal(err)
	}
	return many
}

// Buildifier finds nothing to do in any file, of the golden folders and of the
// committed manifest.
func TestFilesAsBuildifier(t *testing.T) {
	all, _, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	golden, _, err := versions.LoadFrom(os.DirFS("testdata/all_fields"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*versions.Catalog{all, golden} {
		for name, text := range Files(c) {
			f, err := build.ParseBuild(name, text)
			if err != nil {
				t.Fatal(err)
			}
			build.Rewrite(f)
			if formatted := build.Format(f); !bytes.Equal(formatted, text) {
				t.Errorf("%s: buildifier makes of\n%s\nthis:\n%s", name, text, formatted)
			}
		}
	}
}

func BenchmarkFiles2000(b *testing.B) {
	c := many(b, 2000)
	b.ReportAllocs()
	for b.Loop() {
		Files(c)
	}
}
