package stage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// write replaces a file by text, slowly.
func write(ctx context.Context, path, text string, waiting func(), during func()) error {
	return Replace(ctx, path, 0o700, waiting, func(dir string) error {
		if during != nil {
			during()
		}
		return os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o644)
	}, func(dir string) error { return os.Rename(filepath.Join(dir, "file"), path) })
}

func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Fatalf("%v is there, %v; want %q", entries, err, want)
	}
	for i, e := range entries {
		if e.Name() != want[i] {
			t.Errorf("%v is there, want %q", entries, want)
		}
	}
}

// Two of one path take turns; those of two paths do not wait for one another.
func TestReplaceTakesTurns(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	began, waits := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := write(t.Context(), a, "1", nil, func() {
			close(began)
			<-waits // the second one says that it waits, or this test never ends
			if err := write(t.Context(), b, "3", func() { t.Error("another path is waited for") }, nil); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-began
	if err := write(t.Context(), a, "2", func() { close(waits) }, nil); err != nil {
		t.Error(err)
	}
	all.Wait()
	only(t, dir, "a", "b")
	if got, err := os.ReadFile(a); err != nil || string(got) != "2" {
		t.Errorf("got %q, %v, want what came last", got, err)
	}
}

func TestReplaceAfterAKill(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".a.new", "half")
	if err := errors.Join(os.Mkdir(filepath.Dir(left), 0o755), os.WriteFile(left, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	err := Replace(t.Context(), filepath.Join(dir, "a"), 0o750, nil, func(stage string) error {
		only(t, stage)
		// It may be worked in as here.
		if err := write(t.Context(), filepath.Join(stage, "inner"), "1", nil, nil); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(stage); err != nil || info.Mode().Perm() != 0o750 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		return failed
	}, nil)
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	only(t, dir)
}

func TestReplaceEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	err := write(t.Context(), path, "1", nil, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := write(ctx, path, "2", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a passed deadline", err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	if err := write(t.Context(), filepath.Join(dir, "none", "a"), "1", nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	only(t, dir, "a")
}

// Many at once, and never more than one at it.
func TestReplaceAtOnce(t *testing.T) {
	dir := t.TempDir()
	var at sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				err := write(t.Context(), filepath.Join(dir, "a"), "x", nil, func() {
					if !at.TryLock() {
						t.Error("two at once")
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
	only(t, dir, "a")
}
