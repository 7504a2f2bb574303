package toolset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// otherUser is a user who owns nothing.
const otherUser = 65534

// asOtherUser calls do with the file access of another user.
func asOtherUser(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	done, became := make(chan struct{}), false
	go func() {
		defer close(done)
		runtime.LockOSThread() // the thread ends with the goroutine
		syscall.RawSyscall(syscall.SYS_SETFSUID, otherUser, 0, 0)
		// The second call returns the user that the first one has set.
		if user, _, _ := syscall.RawSyscall(syscall.SYS_SETFSUID, otherUser, 0, 0); user != otherUser {
			return
		}
		do()
		became = true
	}()
	<-done
	if !became {
		t.Skip("the user does not exist in this user namespace")
	}
}

// installed returns a directory with the program a, which other users can read.
func installed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for parent := dir; parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mustInstall(t, plan(dir, "a=1"))
	return dir
}

// A user who can read the directory must not delay a run.
func TestLockOfReaders(t *testing.T) {
	dir := installed(t)
	asOtherUser(t, func() {
		for _, path := range []string{dir, filepath.Join(dir, metaDir), filepath.Join(dir, setsDir)} {
			f, err := os.Open(path)
			if err == nil {
				err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH)
				defer f.Close()
			}
			if err != nil {
				t.Error(err)
			}
		}
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY} {
			if f, err := os.OpenFile(filepath.Join(dir, lockFile), flag, 0); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("opening the lock: got %v, %v; want %v", f, err, fs.ErrPermission)
			}
		}
	})
	// The lock of a directory excludes no run, whoever holds it.
	f, err := os.Open(dir)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := plan(dir, "a=2")
	p.LockTimeout = 10 * time.Second
	p.OnWait = func(holder string) { t.Errorf("waiting for %s", holder) }
	mustInstall(t, p)
}

func TestLockTimeout(t *testing.T) {
	dir := installed(t)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	lock, err := acquireLock(t.Context(), root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	p := plan(dir, "a=2")
	p.LockTimeout = 100 * time.Millisecond
	var holders []string
	p.OnWait = func(holder string) { holders = append(holders, holder) }
	_, err = Install(t.Context(), p)
	want := fmt.Sprintf("process %d (%q)", os.Getpid(), filepath.Base(os.Args[0]))
	if err == nil || !strings.Contains(err.Error(), "waiting for "+want) || !strings.Contains(err.Error(), lockFile+`": timeout after 100ms`) {
		t.Errorf("got %v; want a timeout that names %s", err, want)
	}
	if len(holders) != 1 || holders[0] != want {
		t.Errorf("waited for %q, want %q", holders, want)
	}
	if got := contents(t, dir); got != "a=1" {
		t.Errorf("contents %q", got)
	}
}

func TestLockFile(t *testing.T) {
	dir := installed(t)
	lock := filepath.Join(dir, lockFile)
	if err := os.Chmod(lock, 0o666); err != nil {
		t.Fatal(err)
	}
	mustInstall(t, plan(dir, "a=2"))
	if info, err := os.Lstat(lock); err != nil || info.Mode() != 0o600 {
		t.Errorf("lock has mode %v, %v; want 0600", info.Mode(), err)
	}
	for _, c := range []struct {
		name, want string
		plant      func(lock string) error
	}{
		{"symlink", "want a regular file", func(lock string) error { return os.Symlink("current", lock) }},
		{"pipe", "want a regular file", func(lock string) error { return syscall.Mkfifo(lock, 0o600) }},
		{"other owner", "owned by user 65534, want an owner of the directory", func(lock string) error {
			return errors.Join(os.WriteFile(lock, nil, 0o600), os.Chown(lock, otherUser, otherUser))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "other owner" && os.Geteuid() != 0 {
				t.Skip("only root can change the owner")
			}
			dir := installed(t)
			lock := filepath.Join(dir, lockFile)
			err := errors.Join(os.Remove(lock), c.plant(lock))
			if errors.Is(err, syscall.EINVAL) {
				t.Skip("the user does not exist in this user namespace")
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Install(t.Context(), plan(dir, "a=3")); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
}

// A user who cannot write needs no lock to find the programs unchanged.
func TestCheckWithoutLock(t *testing.T) {
	dir := installed(t)
	asOtherUser(t, func() {
		if got := mustInstall(t, plan(dir, "a=1")); got != "unchanged a" {
			t.Errorf("results %q", got)
		}
		if _, err := Install(t.Context(), plan(dir, "a=2")); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v; want %v", err, fs.ErrPermission)
		}
		sets, err := Inspect(t.Context(), Options{Dir: dir}, true)
		if err != nil || len(sets) != 1 || sets[0].Members[0].Verify() != nil {
			t.Errorf("got %+v, %v", sets, err)
		}
	})
	if got := contents(t, dir); got != "a=1" {
		t.Errorf("contents %q", got)
	}
}

// An error that the cleanup meets as well is reported once.
func TestErrorOnce(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, setsDir), 0o755); err != nil {
		t.Fatal(err)
	}
	create(t, dir, current+"->elsewhere")
	_, err := Install(t.Context(), plan(dir, "a=1"))
	if n := strings.Count(fmt.Sprint(err), "want a symlink to sets/NUMBER"); n != 1 {
		t.Errorf("reported %d times: %v", n, err)
	}
}
