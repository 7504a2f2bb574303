package lockfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

type acquireFunc func(ctx context.Context, path string, wait Wait) (*os.File, error)

func TestAcquireExcludesOthers(t *testing.T) {
	for _, test := range []struct {
		name    string
		path    string
		acquire acquireFunc
	}{
		{"file", filepath.Join(t.TempDir(), "lock"), Acquire},
		{"directory", t.TempDir(), AcquireDir},
	} {
		t.Run(test.name, func(t *testing.T) {
			first, err := test.acquire(t.Context(), test.path, Wait{Notify: func(string) { t.Error("waiting for a free lock") }})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := test.acquire(ctx, test.path, Wait{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error %v, want an exceeded deadline", err)
			}
			waits := 0
			waiting := make(chan struct{})
			got := make(chan error, 1)
			go func() {
				second, err := test.acquire(t.Context(), test.path, Wait{Notify: func(string) {
					if waits++; waits == 1 {
						close(waiting)
					}
				}})
				if err == nil {
					err = second.Close()
				}
				got <- err
			}()
			select {
			case <-waiting:
			case err := <-got:
				t.Fatalf("second lock acquired while the first was held (error %v)", err)
			}
			time.Sleep(3 * pollInterval)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-got; err != nil || waits != 1 {
				t.Fatalf("error %v, waiting called %d times, want once", err, waits)
			}
		})
	}
}

func TestAcquireShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := AcquireShared(t.Context(), path, Wait{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := AcquireShared(t.Context(), path, Wait{Notify: func(string) { t.Error("waiting for a shared lock") }})
	if err != nil {
		t.Fatal(err)
	}
	for _, held := range []*os.File{first, second} {
		if got, err := TryAcquire(path); got != nil || err != nil {
			t.Fatalf("got %v (error %v), want none while the lock is shared", got, err)
		}
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
	}
	exclusive, err := TryAcquire(path)
	if err != nil || exclusive == nil {
		t.Fatalf("got %v (error %v), want a free lock", exclusive, err)
	}
	defer exclusive.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := AcquireShared(ctx, path, Wait{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want an exceeded deadline while the lock is held exclusively", err)
	}
}

func TestDirMustExist(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := AcquireDir(t.Context(), dir, Wait{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := TryAcquireDir(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want no file in place of the directory", err)
	}
}

func TestChildHoldsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Acquire(t.Context(), path, Wait{})
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
	if _, err := Acquire(ctx, path, Wait{}); err == nil {
		t.Error("lock acquired although a child still holds it")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	second, err := Acquire(t.Context(), path, Wait{})
	if err != nil {
		t.Fatalf("lock not released when the child was killed: %v", err)
	}
	second.Close()
}

func TestTimeoutNamesHolder(t *testing.T) {
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "lock"), "directory": t.TempDir()} {
		acquire := Acquire
		if name == "directory" {
			acquire = AcquireDir
		}
		lock, err := acquire(t.Context(), path, Wait{})
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		want := "another process"
		if runtime.GOOS == "linux" {
			want = fmt.Sprintf("process %d (%q)", os.Getpid(), filepath.Base(os.Args[0]))
		}
		var holder string
		_, err = acquire(t.Context(), path, Wait{Timeout: 20 * time.Millisecond, Notify: func(h string) { holder = h }})
		wantErr := fmt.Sprintf("acquiring lock %q, which %s holds: timeout after 20ms", path, want)
		if err == nil || err.Error() != wantErr || holder != want {
			t.Errorf("%s: got %v, waited for %s; want %s", name, err, holder, wantErr)
		}
	}
}

// Another user must not be able to hold the lock of a file.
func TestOtherUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(path, nil, 0o644); err != nil { // by an earlier version
		t.Fatal(err)
	}
	for _, acquire := range []acquireFunc{Acquire, AcquireShared} {
		lock, err := acquire(t.Context(), path, Wait{})
		if err != nil {
			t.Fatal(err)
		}
		lock.Close()
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
		}
	}
	for name, plant := range map[string]func() error{
		"too many levels of symbolic links": func() error { return os.Symlink("elsewhere", path) },
		"owned by user 65534": func() error {
			return errors.Join(os.WriteFile(path, nil, 0o644), os.Chown(path, 65534, 65534))
		},
	} {
		if os.Geteuid() != 0 && name == "owned by user 65534" {
			continue // only root can change the owner
		}
		err := errors.Join(os.Remove(path), plant())
		if errors.Is(err, syscall.EINVAL) {
			continue // the user does not exist in this user namespace
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Acquire(t.Context(), path, Wait{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
	}
}
