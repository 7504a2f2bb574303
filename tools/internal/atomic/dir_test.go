//go:build unix

package atomic

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestCreateDir(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "a")
	if err := os.MkdirAll(filepath.Join(dir+".new", "left"), 0o755); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	create := func(writeErr error) error {
		return CreateDir(dir, func(tmp string) error {
			wantEntries(t, tmp)
			if _, err := os.Stat(dir); err == nil {
				t.Errorf("%q exists before its content", dir)
			}
			return errors.Join(os.WriteFile(filepath.Join(tmp, "file"), nil, 0o644), writeErr)
		})
	}
	if err := create(failed); !errors.Is(err, failed) {
		t.Errorf("error %v, want %v", err, failed)
	}
	wantEntries(t, parent)
	if err := create(nil); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, parent, "a")
	wantEntries(t, dir, "file")
}

func TestExchange(t *testing.T) {
	parent := t.TempDir()
	tmp, dir := filepath.Join(parent, "tmp"), filepath.Join(parent, "dir")
	fill := func(name string) {
		if err := os.MkdirAll(filepath.Join(tmp, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	fill("1")
	if err := Exchange(tmp, dir); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, parent, "dir")
	fill("2")
	if err := Exchange(tmp, dir); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, dir, "2")
	wantEntries(t, tmp, "1")
}

func TestRemoveAll(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "dir")
	for range 2 { // a killed process leaves a part under the other name
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "a"), 0o755), os.MkdirAll(filepath.Join(dir+".old", "b"), 0o755)); err != nil {
			t.Fatal(err)
		}
		if err := RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		wantEntries(t, parent)
	}
	if err := RemoveAll(dir); err != nil {
		t.Errorf("a directory that does not exist: %v", err)
	}
}
