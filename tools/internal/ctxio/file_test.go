//go:build unix

package ctxio

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("abcd"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadFile(t.Context(), name, 4); err != nil || string(got) != "abcd" {
		t.Errorf("got %q, %v", got, err)
	}
	for path, want := range map[string]string{
		name:        "want at most 3 bytes, got more",
		"/dev/zero": "want at most 3 bytes, got more",
		name + "x":  "no such file",
	} {
		if got, err := ReadFile(t.Context(), path, 3); err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%s: got %q, %v, want %s", path, got, err, want)
		}
	}
}

// The end of the context interrupts opening a FIFO that nothing writes to, and
// reading one whose writer is idle.
func TestReadFIFO(t *testing.T) {
	for _, writer := range []bool{false, true} {
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		if writer {
			// O_RDWR does not block.
			w, err := os.OpenFile(fifo, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		done := make(chan error, 1)
		go func() {
			_, err := ReadFile(ctx, fifo, 1)
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("writer %v: got %v", writer, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("writer %v: ReadFile ignores the end of the context", writer)
		}
	}
}
