package builder

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMemory(t *testing.T) {
	// A child of the shell holds 64 MiB.
	cmd := exec.Command("/bin/sh", "-c", "head -c 67108864 /dev/zero | tail -c 67108864 | sleep 1; true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var m memory
	stop := m.follow(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	stop()
	if got := m >> 20; got < 60 || got > 200 {
		t.Errorf("peak %d MiB, want the 64 of the child and a little more", got)
	}
}

func TestAvailableMemory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "meminfo")
	if err := os.WriteFile(name, []byte("MemTotal:  9 kB\nMemAvailable:    2048 kB\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, ok := availableMemory(name); got != 2<<20 || !ok {
		t.Errorf("got %d, %v, want 2 MiB", got, ok)
	}
	if _, ok := availableMemory(name + "x"); ok {
		t.Error("a missing file has available memory")
	}
}
