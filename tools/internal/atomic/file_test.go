package atomic

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file, hardLink := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o600), os.Link(file, hardLink)); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(file, []byte("new")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, file, "new", 0o644)
	wantFile(t, hardLink, "old", 0o600) // the old file is not written to
	wantEntries(t, dir, "a", "b")
	if err := WriteFile(filepath.Join(dir, "none", "a"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want %v", err, os.ErrNotExist)
	}
}

func TestWrite(t *testing.T) {
	dir, tmp := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "a")
	write := func(writeErr error) error {
		return Write(file, tmp, 0o751, func(w io.Writer) error {
			if entries, err := os.ReadDir(tmp); err != nil || len(entries) != 1 {
				t.Errorf("got entries %v, error %v, want one temporary file", entries, err)
			}
			_, err := io.WriteString(w, "text")
			return errors.Join(err, writeErr)
		})
	}
	failed := errors.New("failed")
	if err := write(failed); !errors.Is(err, failed) {
		t.Errorf("error %v, want %v", err, failed)
	}
	wantEntries(t, dir)
	if err := write(nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, file, "text", 0o751)
	wantEntries(t, tmp)
	if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := write(nil); err == nil {
		t.Error("no error for a directory in place of the file")
	}
	wantEntries(t, tmp)
}

func wantFile(t *testing.T, file, want string, mode os.FileMode) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("got %q, error %v, want %q", got, err, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != mode {
		t.Errorf("got mode %v, error %v, want %v", info.Mode(), err, mode)
	}
}

func wantEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Fatalf("%q has %v, error %v, want %q", dir, entries, err, want)
	}
	for i, e := range entries {
		if e.Name() != want[i] {
			t.Errorf("%q has %v, want %q", dir, entries, want)
		}
	}
}
