package debian

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMakeMountPoints(t *testing.T) {
	dir := t.TempDir()
	r := &Root{dir: dir}
	if err := os.MkdirAll(filepath.Join(r.Dir(), "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	source, file := t.TempDir(), filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	binds := []Bind{
		{source, "/site", false},
		{source, "/site/inside", false}, // mounted below another bind, not part of the root
		{file, "/etc/resolv.conf", true},
		{file, "/file", true},
		{source, "/usr/local/go", true},
		{source, "/tmp/x", false},
	}
	for range 2 {
		if err := r.makeMountPoints(binds, "/tmp"); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	err := fs.WalkDir(os.DirFS(r.Dir()), ".", func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() {
			path += "/"
		}
		got = append(got, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"./", "etc/", "etc/resolv.conf", "file", "site/", "usr/", "usr/local/", "usr/local/go/"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []Bind{{source, "relative", false}, {"relative", "/x", false}, {filepath.Join(source, "missing"), "/x", false}} {
		if err := r.makeMountPoints([]Bind{bad}); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

func TestMakeMountPointsStaysInRoot(t *testing.T) {
	r := &Root{dir: t.TempDir()}
	outside := t.TempDir()
	if err := os.Mkdir(r.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(r.Dir(), "link")); err != nil {
		t.Fatal(err)
	}
	if err := r.makeMountPoints([]Bind{{outside, "/link/made", false}}); err == nil {
		t.Error("created a mount point through a symlink out of the root")
	}
	if _, err := os.Lstat(filepath.Join(outside, "made")); err == nil {
		t.Error("created a file outside the root")
	}
}
