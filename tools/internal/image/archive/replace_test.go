package archive

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func save(ctx context.Context, file string, images ...Image) error {
	a, err := New(images, nil)
	if err != nil {
		return err
	}
	return Replace(ctx, file, nil, func(_ string, out *os.File) error { return a.Write(ctx, out, None, nil) })
}

func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("%q has %q, want %q", dir, names, want)
	}
}

// A failure leaves the previous file, or nothing.
func TestReplaceFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "images.tar")
	image := writeIndex(t, node)
	corrupt := writeIndex(t, node)
	flip(t, layerOf(t, corrupt.Dir))
	if err := save(t.Context(), file, corrupt); err == nil || !strings.Contains(err.Error(), "want sha256") {
		t.Errorf("got %v", err)
	}
	only(t, dir)
	if err := save(t.Context(), file, image); err != nil {
		t.Fatal(err)
	}
	want := read(t, file)
	if err := save(t.Context(), file, corrupt); err == nil {
		t.Error("no error for a corrupt layer")
	}
	only(t, dir, "images.tar")
	if !bytes.Equal(read(t, file), want) {
		t.Error("the previous file was changed")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o644 {
		t.Errorf("%v, %v; want mode 0644", info.Mode(), err)
	}
	// A named pipe represents devices, which root could replace.
	other := t.TempDir()
	pipe := filepath.Join(other, "pipe")
	if err := unix.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(other, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{other, pipe, link, filepath.Join(other, "none", "images.tar")} {
		if err := save(t.Context(), path, image); err == nil {
			t.Errorf("%q was written", path)
		}
	}
	only(t, other, "link", "pipe")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := save(ctx, file, image); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	only(t, dir, "images.tar")
}

// Concurrent calls are serialized.
func TestReplaceConcurrently(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "images.tar")
	a, b := writeIndex(t, node), writeIndex(t, tool)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			if err := save(t.Context(), file, []Image{a, b}[i%2]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	only(t, dir, "images.tar")
	got := read(t, file)
	_, first := pack(t, None, nil, a)
	_, second := pack(t, None, nil, b)
	if !bytes.Equal(got, first) && !bytes.Equal(got, second) {
		t.Error("the file has mixed content")
	}
}

const child = "ARCHIVE_TEST_CHILD"

// TestMain is the entry point of the process that TestReplaceKilled kills.
func TestMain(m *testing.M) {
	if arg := os.Getenv(child); arg != "" {
		parts := strings.Split(arg, "\n")
		for i := 0; ; i++ {
			if err := save(context.Background(), parts[0], Image{node, parts[1+i%2]}); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

// A killed process leaves one of two complete archives, and the next call removes its
// leftovers.
func TestReplaceKilled(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "images.tar")
	a, b := large(t, 3<<20), large(t, 5<<20)
	_, first := pack(t, None, nil, a)
	_, second := pack(t, None, nil, b)
	leftovers := 0
	for range 60 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), child+"="+strings.Join([]string{file, a.Dir, b.Dir}, "\n"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		got, err := os.ReadFile(file)
		if err == nil && !bytes.Equal(got, first) && !bytes.Equal(got, second) {
			t.Fatalf("%d bytes of neither archive", len(got))
		}
		if _, err := os.Stat(filepath.Join(dir, ".images.tar.new")); err == nil {
			leftovers++
		}
	}
	if _, err := os.Stat(file); err != nil || leftovers == 0 {
		t.Errorf("%v; %d kills during a write: nothing was tested", err, leftovers)
	}
	if err := save(t.Context(), file, a); err != nil {
		t.Fatal(err)
	}
	only(t, dir, "images.tar")
}
