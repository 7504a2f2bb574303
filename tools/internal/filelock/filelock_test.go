package filelock

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestAcquireTakesTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Acquire(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan struct{})
	got := make(chan error, 1)
	go func() {
		second, err := Acquire(t.Context(), path, func() { close(waited) })
		if err == nil {
			err = second.Close()
		}
		got <- err
	}()
	select {
	case <-waited:
	case err := <-got:
		t.Fatalf("second lock taken while the first was held (error %v)", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
}

func TestShare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Share(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Share(t.Context(), path, func() { t.Error("waits for another one that shares the lock") })
	if err != nil {
		t.Fatal(err)
	}
	for _, held := range []*os.File{first, second} {
		if got, err := Try(path); got != nil || err != nil {
			t.Fatalf("%v (error %v), want none while others share the lock", got, err)
		}
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
	}
	alone, err := Try(path)
	if err != nil || alone == nil {
		t.Fatalf("%v (error %v), want the lock that nobody has", alone, err)
	}
	defer alone.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := Share(ctx, path, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that the lock cannot be shared while one has it alone", err)
	}
}

func TestAcquireEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Acquire(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, path, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want a passed deadline", err)
	}
}

func TestChildKeepsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Acquire(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("sleep", "60")
	child.ExtraFiles = []*os.File{first}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, path, nil); err == nil {
		t.Error("lock taken although a child still holds it")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	second, err := Acquire(t.Context(), path, nil)
	if err != nil {
		t.Fatalf("lock not free after the child was killed: %v", err)
	}
	second.Close()
}
