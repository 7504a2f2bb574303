package main

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The program must be static, to run in an image without a C library, and of the
// architecture of the image.
func TestStatic(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		f, err := elf.Open(dispatcher(t, arch))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Machine != machine {
			t.Errorf("%s: machine %v, want %v", arch, f.Machine, machine)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s: dynamically linked: %v", arch, p.Type)
			}
		}
	}
}

// The component has the process ID, arguments and environment of the dispatcher.
func TestSameProcess(t *testing.T) {
	requireLinux(t)
	dir := t.TempDir()
	if err := image(t, dir, "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	env := []string{"B=2", "A=1", "EMPTY=", "ODD= =\t=x", "B C=d", "GODEBUG=", "É=é"}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "hyperkube"), "apiserver", "print")
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	want := append([]string{`["kube-apiserver" "print"]`, strconv.Itoa(cmd.Process.Pid)}, env...)
	if !slices.Equal(lines, want) {
		t.Errorf("got %q\nwant %q", lines, want)
	}
}

// The component inherits the same state with and without the dispatcher.
func TestSameInheritedState(t *testing.T) {
	requireLinux(t)
	dir := t.TempDir()
	if err := image(t, dir); err != nil {
		t.Fatal(err)
	}
	// The component is a shell script, because the Go runtime changes some of this
	// state. It inherits an additional file descriptor, and SIGHUP and SIGINT
	// ignored: the Go runtime keeps these two ignored, and no others.
	const printState = `#!/bin/sh
grep -E '^(SigBlk|SigIgn|SigCgt|NoNewPrivs|Umask)' /proc/self/status
ulimit -n; ulimit -Hn; ls /proc/self/fd; pwd; cat; umask
`
	script := filepath.Join(dir, "odd")
	if out, err := exec.Command("sh", "-c", `printf %s "$0" > "$1" && chmod +x "$1"`, printState, script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run := func(args ...string) string {
		t.Helper()
		const setting = `trap '' HUP INT; ulimit -Sn 100; umask 027; exec 7</dev/null; echo input | "$@"`
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", setting, "sh"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	direct, through := run(script), run(filepath.Join(dir, "hyperkube"), "odd")
	if direct != through || !strings.Contains(direct, "100\n") || !strings.Contains(direct, "input\n") {
		t.Errorf("got\n%swant\n%s", through, direct)
	}
}
