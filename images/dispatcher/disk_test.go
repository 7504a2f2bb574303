package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// On a full disk a run changes nothing, and leaves no files.
func TestDiskFull(t *testing.T) {
	requireLinux(t)
	if out, err := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a file system: %v: %s", err, out)
	}
	dir := t.TempDir()
	if err := image(t, dir); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"one": 1 << 20, "two": 1 << 20, "large": 4 << 20} {
		if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte(name[:1]), size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const script = `set -e
mkdir host
mount -t tmpfs -o size=4m tmpfs host
./hyperkube install --to host a=./one b=./one
./hyperkube install --to host a=./two
find host | sort >before
if ./hyperkube install --to host c=./one d=./large 2>error; then echo no error; exit 1; fi
cat error
find host | sort | diff before -
./hyperkube install verify --to host
./hyperkube install rollback --to host
`
	cmd := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"no space left on device", "current   a     ok", "restored a"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("got\n%swant %s", out, want)
		}
	}
}
