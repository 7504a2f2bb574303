//go:build unix

package identify

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestHost(t *testing.T) {
	content := build(t, "k8s.io/kubernetes/cmd/kubelet", "amd64", "v1.36.0")
	changed := bytes.Clone(content)
	changed[len(changed)/3] ^= 1
	index := newIndex(t, map[string][]byte{kubelet: content})
	dir, outside := t.TempDir(), t.TempDir()
	write := func(name string, content []byte, mode os.FileMode) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/kubelet", content, 0o755)
	write("opt/old", changed, 0o644)
	write("opt/agent", build(t, "example.org/agent", "amd64", "v1.36.0"), 0o755)
	write("web/kubelet", []byte("<html>"), 0o755)
	write("completions/kubelet", []byte("complete"), 0o644)
	if err := os.WriteFile(filepath.Join(outside, "kubelet"), content, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": outside, "kubelet": filepath.Join(outside, "kubelet"), "loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "opt", "kubelet"), 0o755); err != nil {
		t.Fatal(err)
	}
	host, err := index.Host(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range host.Files {
		got = append(got, strings.TrimPrefix(a.Input, dir)+" "+string(a.Verdict))
	}
	want := "/bin/kubelet official\n/opt/old differs\n/web/kubelet unknown"
	if strings.Join(got, "\n") != want || host.Scanned != 5 || host.Unreadable != 0 {
		t.Errorf("got %d files, %d unreadable:\n%s\nwant\n%s", host.Scanned, host.Unreadable, strings.Join(got, "\n"), want)
	}
	if _, err := index.Host(t.Context(), filepath.Join(dir, "bin/kubelet")); err == nil {
		t.Error("a file is no directory")
	}
}

// A directory that cannot be read is counted.
func TestHostUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can read everything")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "closed"), 0); err != nil {
		t.Fatal(err)
	}
	host, err := newIndex(t, nil).Host(t.Context(), dir)
	if err != nil || host.Unreadable != 1 || len(host.Errors) != 1 {
		t.Errorf("got %+v, %v", host, err)
	}
}

// Directories of other file systems are skipped.
func TestHostOneFileSystem(t *testing.T) {
	host, err := newIndex(t, nil).Host(t.Context(), "/dev")
	if err != nil {
		t.Skip(err)
	}
	info, err := os.Stat("/dev/shm")
	if err != nil || deviceOf(info) == host.device(t) {
		t.Skip("no file system below /dev")
	}
	file, err := os.CreateTemp("/dev/shm", "hyperkube-")
	if err != nil {
		t.Skip(err)
	}
	defer os.Remove(file.Name())
	again, err := newIndex(t, nil).Host(t.Context(), "/dev")
	if err != nil || again.Scanned != host.Scanned {
		t.Errorf("got %d files, %v, want %d as without the file in /dev/shm", again.Scanned, err, host.Scanned)
	}
}

func (h Host) device(t *testing.T) uint64 {
	info, err := os.Stat(h.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return deviceOf(info)
}
