package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/hyperkube/hyperkube/versions"
)

func digestOf(b []byte) versions.Digest { return versions.NewDigest(sha256.Sum256(b)) }

// files returns the files of the store, temporary ones included.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPut(t *testing.T) {
	data := []byte("kubelet")
	broken := errors.New("broken")
	d := digestOf(data)
	for name, test := range map[string]struct {
		r    io.Reader
		size int64
		want string
	}{
		"good":           {bytes.NewReader(data), 7, ""},
		"size not known": {bytes.NewReader(data), 0, ""},
		"other bytes":    {strings.NewReader("kubectl"), 7, `verifying "there": want sha256 ` + d.String() + `, got ` + digestOf([]byte("kubectl")).String() + ` (7 bytes)`},
		"too short":      {strings.NewReader("kube"), 7, `and 7 bytes, got ` + digestOf([]byte("kube")).String() + ` and 4 bytes`},
		"too long":       {strings.NewReader("kubelet and more"), 7, `and 7 bytes, got more`},
		"broken":         {io.MultiReader(strings.NewReader("kube"), iotest.ErrReader(broken)), 7, "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := New(dir)
			err := s.Put(context.Background(), d, test.size, "there", test.r)
			has, hasErr := s.Has(d)
			if hasErr != nil || has != (test.want == "") {
				t.Errorf("has: %v, %v", has, hasErr)
			}
			if test.want == "" {
				if err != nil || s.Verify(d) != nil || len(files(t, dir)) != 1 {
					t.Errorf("%v; files %q", err, files(t, dir))
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if left := files(t, dir); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestPutStopsWithContext(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := New(dir).Put(ctx, digestOf(nil), 0, "there", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestVerifyChangedFile(t *testing.T) {
	data := bytes.Repeat([]byte("kubelet"), 100_000)
	d := digestOf(data)
	for name, change := range map[string]func([]byte) []byte{
		"flipped bit": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"truncated":   func(b []byte) []byte { return b[:len(b)/2] },
		"empty":       func([]byte) []byte { return nil },
		"longer":      func(b []byte) []byte { return append(b, 0) },
	} {
		s := New(t.TempDir())
		if err := s.Put(context.Background(), d, 0, "there", bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.Path(d), change(bytes.Clone(data)), 0o644); err != nil {
			t.Fatal(err)
		}
		var mismatch *MismatchError
		if err := s.Verify(d); !errors.As(err, &mismatch) || mismatch.From != s.Path(d) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestPutConcurrently(t *testing.T) {
	dir := t.TempDir()
	data := bytes.Repeat([]byte("kubelet"), 100_000)
	d := digestOf(data)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := New(dir).Put(context.Background(), d, 0, "there", bytes.NewReader(data)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if left := files(t, dir); len(left) != 1 || New(dir).Verify(d) != nil {
		t.Errorf("in the store: %q", left)
	}
}
