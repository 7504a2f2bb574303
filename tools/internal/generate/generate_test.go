package generate

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/bazelbuild/buildtools/build"
	"github.com/hyperkube/hyperkube/tools/internal/golden"
	"github.com/hyperkube/hyperkube/versions"
)

// A case is a directory with manifest and lock, and the files made from them with
// the suffix .want, so that Bazel does not take them for packages.
func TestFiles(t *testing.T) {
	cases, err := os.ReadDir("testdata")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) {
			dir := filepath.Join("testdata", c.Name())
			catalog, err := versions.LoadFrom(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			golden.Dir(t, dir, ".want", Files(catalog))
		})
	}
}

// many returns the catalog with n releases in place of its own.
func many(tb testing.TB, n int) *versions.Catalog {
	c, err := versions.Load()
	if err != nil {
		tb.Fatal(err)
	}
	m := *c.Manifest
	m.Releases = nil
	for i := range n {
		v, err := versions.ParseVersion(fmt.Sprintf("v1.%d.%d", 100+i/20, i%20))
		if err != nil {
			tb.Fatal(err)
		}
		m.Releases = append(m.Releases, versions.Release{Version: v})
	}
	lock := versions.NewLock()
	lock.SetPackages(c.Lock.AllPackages(), c.Lock.Snapshots())
	for _, pin := range c.Lock.Bases() {
		lock.SetBase(pin)
	}
	for i, key := range m.RequiredFiles(c.Lock) {
		digest, err := versions.ParseDigest(fmt.Sprintf("%064x", i))
		if err != nil {
			tb.Fatal(err)
		}
		lock.Set(versions.Pin{FileKey: key, SHA256: digest})
	}
	many, err := versions.Resolve(&m, lock)
	if err != nil {
		tb.Fatal(err)
	}
	return many
}

// Buildifier changes none of the files of the golden directories and of the
// committed manifest.
func TestFilesAreFormatted(t *testing.T) {
	all, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	catalogs := []*versions.Catalog{all}
	for _, dir := range []string{"testdata/all_fields", "testdata/packages"} {
		fixture, err := versions.LoadFrom(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		catalogs = append(catalogs, fixture)
	}
	for _, c := range catalogs {
		for name, text := range Files(c) {
			if path.Ext(name) != ".bazel" {
				continue
			}
			f, err := build.ParseBuild(name, text)
			if err != nil {
				t.Fatal(err)
			}
			build.Rewrite(f)
			if formatted := build.Format(f); !bytes.Equal(formatted, text) {
				t.Errorf("%s: got\n%s\nbuildifier wants\n%s", name, text, formatted)
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
