package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/versions"
)

// tempFiles returns the names of the temporary files.
func tempFiles(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, tempDir))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func writeTemp(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, tempDir), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, tempDir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Put removes the files of killed processes at once, however young they are, and
// keeps those that a process has locked, however old they are.
func TestPutRemovesAbandonedFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no locks")
	}
	dir := t.TempDir()
	part, stored := digestOf([]byte("part")).String(), digestOf([]byte("stored"))
	if err := New(dir).Put(t.Context(), stored, 0, "there", strings.NewReader("stored")); err != nil {
		t.Fatal(err)
	}
	old := digestOf([]byte("old")).String()
	writeTemp(t, dir, map[string]string{
		"young": "half", "locked": "half",
		part: "half", part + validatorSuffix: `"1"`,
		strings.Repeat("0", 64): "no validator", strings.Repeat("1", 64) + validatorSuffix: "no part",
		stored.String(): "half", stored.String() + validatorSuffix: `"1"`,
		old: "half", old + validatorSuffix: `"1"`,
	})
	locked, err := os.Open(filepath.Join(dir, tempDir, "locked"))
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Close()
	if ok, err := lockfile.TryLock(locked); !ok || err != nil {
		t.Fatal(ok, err)
	}
	lastMonth := time.Now().Add(-30 * 24 * time.Hour)
	for _, name := range []string{"locked", old} {
		if err := os.Chtimes(filepath.Join(dir, tempDir, name), lastMonth, lastMonth); err != nil {
			t.Fatal(err)
		}
	}
	if err := New(dir).Put(t.Context(), digestOf([]byte("kubelet")), 0, "there", strings.NewReader("kubelet")); err != nil {
		t.Fatal(err)
	}
	if err := New(dir).Put(t.Context(), digestOf([]byte("kubelet")), 0, "there", strings.NewReader("kubelet")); err != nil {
		t.Fatal(err)
	}
	want := []string{part, part + validatorSuffix, "locked"}
	slices.Sort(want)
	if got := tempFiles(t, dir); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Processes that start at the same time resume one part each: removing abandoned
// files does not lock parts of others.
func TestPartialConcurrent(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no locks")
	}
	dir := t.TempDir()
	var sums []versions.Digest
	for i := range 16 {
		d := digestOf([]byte{byte(i)})
		sums = append(sums, d)
		writeTemp(t, dir, map[string]string{d.String(): "half", d.String() + validatorSuffix: `"1"`})
	}
	var group sync.WaitGroup
	for _, d := range sums {
		group.Go(func() {
			for range 50 {
				p, err := New(dir).Partial(d)
				if err != nil {
					t.Error(err)
					return
				}
				if size := p.Size; p.Close() != nil || size != 4 {
					t.Errorf("got a part with %d bytes, want 4", size)
					return
				}
			}
		})
	}
	group.Wait()
}

// Files are removed from the directory of temporary files: it must not lead to
// another one.
func TestTempIsSymlink(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	precious := filepath.Join(other, "precious")
	if err := errors.Join(os.WriteFile(precious, nil, 0o644), os.Symlink(other, filepath.Join(dir, tempDir))); err != nil {
		t.Fatal(err)
	}
	longAgo := time.Now().Add(-1000 * time.Hour)
	if err := os.Chtimes(precious, longAgo, longAgo); err != nil {
		t.Fatal(err)
	}
	d := digestOf([]byte("kubelet"))
	err := New(dir).Put(t.Context(), d, 0, "there", strings.NewReader("kubelet"))
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, tempDir)+`" is not a directory`) {
		t.Errorf("got %v", err)
	}
	if _, err := New(dir).Partial(d); err == nil {
		t.Error("no error of Partial")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	// A symlink in place of a temporary file does not lead to another one either.
	if err := errors.Join(os.Remove(filepath.Join(dir, tempDir)), os.Mkdir(filepath.Join(dir, tempDir), 0o755), os.Symlink(precious, filepath.Join(dir, tempDir, d.String()))); err != nil {
		t.Fatal(err)
	}
	if p, err := New(dir).Partial(d); err == nil {
		t.Errorf("opened %s", p.file.Name())
	}
}

// A part without a validator is removed, one with a validator stays.
func TestPartialValidator(t *testing.T) {
	data := bytes.Repeat([]byte("kubelet"), 10_000)
	for validator, keep := range map[string]bool{
		"": false, `W/"weak"`: false, "a\nb": false, strings.Repeat("x", 300): false,
		`"1"`: true, "Wed, 21 Oct 2026 07:28:00 GMT": true,
	} {
		dir := t.TempDir()
		p, err := New(dir).Partial(digestOf(data))
		if err != nil {
			t.Fatal(err)
		}
		if p.Size != 0 || p.Validator != "" {
			t.Errorf("new part has %d bytes, validator %q", p.Size, p.Validator)
		}
		err = p.Put(t.Context(), 0, "there", iotest.TimeoutReader(bytes.NewReader(data)), false, validator)
		if !errors.Is(err, iotest.ErrTimeout) || p.Close() != nil {
			t.Fatalf("got %v, want %v", err, iotest.ErrTimeout)
		}
		if got := len(tempFiles(t, dir)) > 0; got != keep {
			t.Errorf("validator %q: part stays: %v, want %v", validator, got, keep)
		}
	}
}

// An interrupted download is resumed, several times, until the sum is right.
func TestPartialResume(t *testing.T) {
	data := bytes.Repeat([]byte("kubelet"), 10_000)
	d := digestOf(data)
	dir := t.TempDir()
	s := New(dir)
	for size := int64(0); ; {
		p, err := s.Partial(d)
		if err != nil {
			t.Fatal(err)
		}
		if p.Size != size || (size > 0) != (p.Validator == `"1"`) {
			t.Fatalf("part has %d bytes, validator %q, want %d", p.Size, p.Validator, size)
		}
		rest := data[size:]
		if len(rest) > 30_000 {
			ctx, cancel := context.WithCancel(t.Context())
			r := iotest.OneByteReader(bytes.NewReader(rest))
			n := 0
			err = p.Put(ctx, int64(len(data)), "there", readerFunc(func(b []byte) (int, error) {
				if n++; n > 20_000 {
					cancel()
				}
				return r.Read(b)
			}), size > 0, `"1"`)
			if !errors.Is(err, context.Canceled) || p.Close() != nil {
				t.Fatalf("got %v", err)
			}
			info, err := os.Stat(filepath.Join(dir, tempDir, d.String()))
			if err != nil || info.Size() <= size {
				t.Fatalf("part has %v bytes, %v", info, err)
			}
			size = info.Size()
			continue
		}
		if size == 0 {
			t.Fatal("never interrupted")
		}
		// While a process has the part, another one downloads the whole file.
		other, err := s.Partial(d)
		if err != nil || other.Size != 0 || other.Validator != "" {
			t.Fatalf("part of another process: %+v, %v", other, err)
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(p.Put(t.Context(), int64(len(data)), "there", bytes.NewReader(rest), true, ""), p.Close(), s.Verify(d)); err != nil {
			t.Fatal(err)
		}
		break
	}
	if info, err := os.Stat(s.Path(d)); err != nil || info.Mode() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left := tempFiles(t, dir); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A part with other bytes is found by the sum of the whole, and removed.
func TestPartialMismatch(t *testing.T) {
	d := digestOf([]byte("kubelet"))
	dir := t.TempDir()
	writeTemp(t, dir, map[string]string{d.String(): "kubE", d.String() + validatorSuffix: `"1"`})
	p, err := New(dir).Partial(d)
	if err != nil || p.Size != 4 {
		t.Fatal(p, err)
	}
	var mismatch *MismatchError
	if err := p.Put(t.Context(), 7, "there", strings.NewReader("let"), true, ""); !errors.As(err, &mismatch) || p.Close() != nil {
		t.Errorf("got %v", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}
