//go:build unix

package atomic

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// replaceFile replaces a file by text and calls during, unless nil, before.
func replaceFile(ctx context.Context, path, text string, waiting func(string), during func()) error {
	return Replace(ctx, path, 0o700, waiting, func(dir string) error {
		if during != nil {
			during()
		}
		return os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o644)
	}, func(dir string) error { return os.Rename(filepath.Join(dir, "file"), path) })
}

// Calls for one path run one after another; calls for two paths run at once.
func TestReplaceWaits(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	began, waits := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := replaceFile(t.Context(), a, "1", nil, func() {
			close(began)
			<-waits // until the second call waits, or forever
			if err := replaceFile(t.Context(), b, "3", func(string) { t.Error("waiting for another path") }, nil); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-began
	if err := replaceFile(t.Context(), a, "2", func(string) { close(waits) }, nil); err != nil {
		t.Error(err)
	}
	all.Wait()
	wantEntries(t, dir, "a", "b")
	if got, err := os.ReadFile(a); err != nil || string(got) != "2" {
		t.Errorf("got %q, %v, want the last text", got, err)
	}
}

func TestReplaceAfterKill(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".a.new", "half")
	if err := errors.Join(os.Mkdir(filepath.Dir(left), 0o755), os.WriteFile(left, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	err := Replace(t.Context(), filepath.Join(dir, "a"), 0o750, nil, func(tmp string) error {
		wantEntries(t, tmp)
		// The directory allows calls for paths in it.
		if err := replaceFile(t.Context(), filepath.Join(tmp, "inner"), "1", nil, nil); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(tmp); err != nil || info.Mode().Perm() != 0o750 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		return failed
	}, nil)
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	wantEntries(t, dir)
}

func TestReplaceContext(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	err := replaceFile(t.Context(), path, "1", nil, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := replaceFile(ctx, path, "2", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want an exceeded deadline", err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	if err := replaceFile(t.Context(), filepath.Join(dir, "none", "a"), "1", nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	wantEntries(t, dir, "a")
}

func TestReplaceConcurrently(t *testing.T) {
	dir := t.TempDir()
	var at sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				err := replaceFile(t.Context(), filepath.Join(dir, "a"), "x", nil, func() {
					if !at.TryLock() {
						t.Error("two calls write at once")
						return
					}
					time.Sleep(time.Millisecond)
					at.Unlock()
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	wantEntries(t, dir, "a")
}
