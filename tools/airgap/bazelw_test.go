package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// door is a copy of bazelw in a small repository, with programs in its PATH
// that stand for the machine's own.
type door struct {
	t                  *testing.T
	dir, bin, cacheDir string
}

// A program is the body of a shell script.
const (
	succeeds = `exit 0`
	fails    = `exit 6`
	// says its name and arguments, and ends with a status of its own.
	bazel = `echo "$(basename "$0") $*"; exit 37`
	// builds or installs programs that are like bazel.
	golang = `
echo "$1 for $GOOS with $GOFLAGS, $GOWORK, $GOTOOLCHAIN" >> "$0.log"
case $1 in
build)
	to=$5
	[ -z "$GO_FAILS" ] || exit 1
	;;
install) to=$GOBIN/bazelisk ;;
esac
printf '#!/bin/sh\necho "$(basename "$0") $*"; exit 37\n' > "$to"
chmod +x "$to"`
)

func newDoor(t *testing.T, programs map[string]string) door {
	t.Helper()
	d := door{t, t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "cache")}
	script, err := os.ReadFile("../../bazelw")
	if err != nil {
		t.Fatal(err)
	}
	d.write("bazelw", string(script), 0o755)
	for _, name := range []string{"tools/airgap/main.go", "tools/internal/x/x.go", "tools/internal/x/x_test.go", "go.mod", "go.sum"} {
		d.write(name, "1\n", 0o644)
	}
	for _, name := range []string{
		"bash", "sh", "env", "readlink", "dirname", "basename", "mkdir", "rmdir", "cat", "mv", "rm",
		"uname", "find", "sort", "xargs", "sha256sum", "chmod",
	} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(d.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, body := range programs {
		if err := os.WriteFile(filepath.Join(d.bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d door) write(name, text string, mode os.FileMode) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		d.t.Fatal(err)
	}
}

// run returns what bazelw prints, with the folders by name, and its status.
func (d door) run(env []string, args ...string) string {
	d.t.Helper()
	cmd := exec.Command(filepath.Join(d.dir, "bazelw"), args...)
	cmd.Env = append([]string{"PATH=" + d.bin, "HOME=/nowhere", "HYPERKUBE_CACHE=" + d.cacheDir}, env...)
	out, err := cmd.CombinedOutput()
	code := exitStatus(err)
	text := strings.NewReplacer(d.dir, "REPO", d.cacheDir, "CACHE").Replace(string(out))
	return fmt.Sprintf("%s[%d]", text, code)
}

func exitStatus(err error) int {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

func (d door) want(got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDoorOnline(t *testing.T) {
	d := newDoor(t, map[string]string{"curl": succeeds, "bazel": bazel})
	const want = "bazel --bazelrc=CACHE/bazel/online.bazelrc build //x -- -y\n[37]"
	d.want(d.run(nil, "build", "//x", "--", "-y"), want)
	if rc, err := os.ReadFile(filepath.Join(d.cacheDir, "bazel/online.bazelrc")); err != nil || string(rc) != "common --repo_env=HYPERKUBE_STORE="+d.cacheDir+"/store\n" {
		t.Errorf("options: %q, %v", rc, err)
	}
	// What was found once holds.
	if err := os.WriteFile(filepath.Join(d.bin, "curl"), []byte("#!/bin/sh\n"+fails), 0o755); err != nil {
		t.Fatal(err)
	}
	d.want(d.run(nil, "build", "//x", "--", "-y"), want)
	// bazelisk knows the version that the repository wants.
	if err := os.WriteFile(filepath.Join(d.bin, "bazelisk"), []byte("#!/bin/sh\n"+bazel), 0o755); err != nil {
		t.Fatal(err)
	}
	d.want(d.run(nil, "version"), "bazelisk --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	d.tidy()
}

func TestDoorGetsBazelisk(t *testing.T) {
	d := newDoor(t, map[string]string{"curl": succeeds, "go": golang})
	d.want(d.run(nil, "version"), "bazelw: getting bazelisk v1.27.0 through the Go module proxy\n"+
		"bazelisk-v1.27.0 --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	d.want(d.run(nil, "version"), "bazelisk-v1.27.0 --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	d.tidy()
}

func TestDoorWithoutAnything(t *testing.T) {
	d := newDoor(t, map[string]string{"curl": succeeds})
	d.want(d.run(nil, "version"), "bazelw: no Bazel here, and nothing to get one with: install bazelisk, or Go\n[1]")
	d.want(d.run([]string{"HYPERKUBE_PROFILE=airgap"}, "version"), "bazelw: the airgap profile needs Go on PATH\n[1]")
	d.want(d.run([]string{"HYPERKUBE_PROFILE=moon"}, "version"), "bazelw: HYPERKUBE_PROFILE=moon: want online or airgap\n[2]")
	d.tidy()
}

func TestDoorAirgap(t *testing.T) {
	d := newDoor(t, map[string]string{"curl": fails, "bazel": bazel, "go": golang, "apt-get": succeeds})
	if got := d.run([]string{"GO_FAILS=1", "GOFLAGS=-mod=vendor", "GOOS=plan9", "GOTOOLCHAIN=local"}, "build", "//x"); !strings.HasSuffix(got, "from now on (HYPERKUBE_PROFILE=online changes that)\n[1]") {
		t.Errorf("got %s", got)
	}
	d.tidy()
	first := d.run(nil, "build", "//x")
	program, rest, _ := strings.Cut(first, " ")
	if !strings.HasPrefix(program, "airgap-") || rest != "-workspace REPO -- build //x\n[37]" {
		t.Errorf("got %s", first)
	}
	d.want(d.run(nil, "build", "//x"), program+" -workspace REPO -- build //x\n[37]")
	d.write("tools/internal/x/x_test.go", "2\n", 0o644)
	d.want(d.run(nil, "build", "//x"), program+" -workspace REPO -- build //x\n[37]")
	d.write("tools/internal/x/x.go", "2\n", 0o644)
	if again := d.run(nil, "build", "//x"); strings.HasPrefix(again, program) || !strings.HasPrefix(again, "airgap-") {
		t.Errorf("a changed source was not noticed: %s", again)
	}
	if log, err := os.ReadFile(filepath.Join(d.bin, "go.log")); err != nil || string(log) != strings.Repeat("build for  with -buildvcs=false, off, auto\n", 3) {
		t.Errorf("built other than three times, for this machine: %s%v", log, err)
	}
	d.want(d.run([]string{"HYPERKUBE_PROFILE=online"}, "version"), "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	d.want(d.run(nil, "version"), "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	d.tidy()
}

// Where Debian's Bazel cannot be had, a registry that is gone for a moment does
// not decide for ever.
func TestDoorElsewhere(t *testing.T) {
	const online = "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]"
	d := newDoor(t, map[string]string{"curl": fails, "bazel": bazel, "go": golang})
	d.want(d.run(nil, "version"), online)
	d.tidy()
	if err := os.WriteFile(filepath.Join(d.cacheDir, "bazel", "profile"), []byte("rm\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d.want(d.run(nil, "version"), online)
	d.tidy()
}

// tidy fails if something half-made was left.
func (d door) tidy() {
	d.t.Helper()
	left, err := filepath.Glob(filepath.Join(d.cacheDir, "bazel", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	programs, err := filepath.Glob(filepath.Join(d.cacheDir, "bazel/bin", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, path := range slices.Concat(left, programs) {
		name := filepath.Base(path)
		if !slices.Contains([]string{"bin", "profile", "online.bazelrc"}, name) && !strings.HasPrefix(name, "airgap-") && name != "bazelisk-v1.27.0" ||
			strings.HasPrefix(name, "airgap-") && len(name) != len("airgap-0123456789abcdef") {
			d.t.Errorf("left %q", path)
		}
	}
}
