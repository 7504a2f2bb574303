package lockfile

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A user who can only read a directory must not delay others. Two processes that
// ignore the user still exclude each other, and later ones.
func TestDirIgnoresStrangers(t *testing.T) {
	program, err := exec.LookPath("flock")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("needs flock(1), and root to become another user")
	}
	dir := t.TempDir()
	for parent := dir; parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	stranger := exec.CommandContext(t.Context(), program, "--shared", dir, "sh", "-c", "echo; exec sleep 60")
	stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Setpgid: true}
	out, err := stranger.StdoutPipe()
	if err == nil {
		err = stranger.Start()
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EPERM) {
		t.Skip("the user does not exist in this user namespace")
	}
	if err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() {
		_ = syscall.Kill(-stranger.Process.Pid, syscall.SIGKILL)
		_ = stranger.Wait()
	})
	defer kill()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	first, err := AcquireDir(t.Context(), dir, Wait{Timeout: 10 * time.Second, Notify: func(holder string) { t.Errorf("waiting for %s", holder) }})
	if err != nil {
		t.Fatal(err)
	}
	blocked := func(when string) {
		t.Helper()
		if lock, err := AcquireDir(t.Context(), dir, Wait{Timeout: 20 * time.Millisecond}); err == nil || lock != nil {
			t.Errorf("%s: got %v, %v, want a timeout", when, lock, err)
		}
	}
	blocked("with the stranger")
	kill()
	blocked("after the stranger")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	last, err := AcquireDir(t.Context(), dir, Wait{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	blocked("afterwards")
	// In a directory that a group can write, its members may do the same.
	if err := os.Chmod(dir, 0o775); err != nil {
		t.Fatal(err)
	}
	if heldByStrangers(dir) {
		t.Error("a holder in a directory of a group is no stranger")
	}
}
