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

// fixture is a copy of bazelw in a small repository, with fake programs on PATH.
type fixture struct {
	t                  *testing.T
	dir, bin, cacheDir string
}

// Bodies of the shell scripts of fake programs.
const (
	succeeds = `exit 0`
	fails    = `exit 6`
	// prints its name and arguments and exits with an unusual status.
	bazel = `echo "$(basename "$0") $*"; exit 37`
	// installs a program like bazel.
	golang = `
echo "$1 for $GOOS with $GOFLAGS, $GOWORK, $GOTOOLCHAIN" >> "$0.log"
[ -z "$GO_FAILS" ] || exit 1
to=$GOBIN/program
printf '#!/bin/sh\necho "$(basename "$0") $*"; exit 37\n' > "$to"
chmod +x "$to"`
)

func newFixture(t *testing.T, programs map[string]string) fixture {
	t.Helper()
	f := fixture{t, t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "cache")}
	script, err := os.ReadFile("../../bazelw")
	if err != nil {
		t.Fatal(err)
	}
	f.write("bazelw", string(script), 0o755)
	for _, name := range []string{"tools/airgap/main.go", "tools/internal/x/x.go", "tools/internal/x/x_test.go", "go.mod", "go.sum"} {
		f.write(name, "1\n", 0o644)
	}
	for _, name := range []string{
		"bash", "sh", "env", "readlink", "dirname", "basename", "mkdir", "rmdir", "cat", "mv", "rm",
		"uname", "find", "sort", "xargs", "sha256sum", "chmod",
	} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(f.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, body := range programs {
		if err := os.WriteFile(filepath.Join(f.bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f fixture) write(name, text string, mode os.FileMode) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		f.t.Fatal(err)
	}
}

// run returns the output of bazelw, with placeholders for directories, and its
// exit status.
func (f fixture) run(env []string, args ...string) string {
	f.t.Helper()
	cmd := exec.Command(filepath.Join(f.dir, "bazelw"), args...)
	cmd.Env = append([]string{"PATH=" + f.bin, "HOME=/nowhere", "HYPERKUBE_CACHE=" + f.cacheDir}, env...)
	out, err := cmd.CombinedOutput()
	code := exitStatus(err)
	text := strings.NewReplacer(f.dir, "REPO", f.cacheDir, "CACHE").Replace(string(out))
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

func (f fixture) want(got, want string) {
	f.t.Helper()
	if got != want {
		f.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBazelwOnline(t *testing.T) {
	f := newFixture(t, map[string]string{"curl": succeeds, "bazel": bazel})
	const want = "bazel --bazelrc=CACHE/bazel/online.bazelrc build //x -- -y\n[37]"
	f.want(f.run(nil, "build", "//x", "--", "-y"), want)
	if rc, err := os.ReadFile(filepath.Join(f.cacheDir, "bazel/online.bazelrc")); err != nil || string(rc) != "common --repo_env=HYPERKUBE_STORE="+f.cacheDir+"/store\n" {
		t.Errorf("options: %q, %v", rc, err)
	}
	// The saved profile is used.
	if err := os.WriteFile(filepath.Join(f.bin, "curl"), []byte("#!/bin/sh\n"+fails), 0o755); err != nil {
		t.Fatal(err)
	}
	f.want(f.run(nil, "build", "//x", "--", "-y"), want)
	// bazelisk is preferred: it uses the version in .bazelversion.
	if err := os.WriteFile(filepath.Join(f.bin, "bazelisk"), []byte("#!/bin/sh\n"+bazel), 0o755); err != nil {
		t.Fatal(err)
	}
	f.want(f.run(nil, "version"), "bazelisk --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	f.checkClean()
}

func TestBazelwInstallsBazelisk(t *testing.T) {
	f := newFixture(t, map[string]string{"curl": succeeds, "go": golang})
	f.want(f.run(nil, "version"), "bazelw: installing bazelisk v1.27.0 from the Go module proxy\n"+
		"bazelisk-v1.27.0 --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	f.want(f.run(nil, "version"), "bazelisk-v1.27.0 --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	f.checkClean()
}

func TestBazelwWithoutPrograms(t *testing.T) {
	f := newFixture(t, map[string]string{"curl": succeeds})
	f.want(f.run(nil, "version"), "bazelw: cannot find Bazel: install bazelisk, or Go to install it with\n[1]")
	f.want(f.run([]string{"HYPERKUBE_PROFILE=airgap"}, "version"), "bazelw: the airgap profile needs Go on PATH\n[1]")
	f.want(f.run([]string{"HYPERKUBE_PROFILE=moon"}, "version"), "bazelw: unknown profile HYPERKUBE_PROFILE=moon: want online or airgap\n[2]")
	f.checkClean()
}

func TestBazelwAirgap(t *testing.T) {
	f := newFixture(t, map[string]string{"curl": fails, "bazel": bazel, "go": golang, "apt-get": succeeds})
	if got := f.run([]string{"GO_FAILS=1", "GOFLAGS=-mod=vendor", "GOOS=plan9", "GOTOOLCHAIN=local"}, "build", "//x"); !strings.HasSuffix(got, "from now on (HYPERKUBE_PROFILE=online overrides)\n[1]") {
		t.Errorf("got %s", got)
	}
	f.checkClean()
	first := f.run(nil, "build", "//x")
	program, rest, _ := strings.Cut(first, " ")
	if !strings.HasPrefix(program, "airgap-") || rest != "-workspace REPO -- build //x\n[37]" {
		t.Errorf("got %s", first)
	}
	f.want(f.run(nil, "build", "//x"), program+" -workspace REPO -- build //x\n[37]")
	f.write("tools/internal/x/x_test.go", "2\n", 0o644)
	f.want(f.run(nil, "build", "//x"), program+" -workspace REPO -- build //x\n[37]")
	f.write("tools/internal/x/x.go", "2\n", 0o644)
	if second := f.run(nil, "build", "//x"); strings.HasPrefix(second, program) || !strings.HasPrefix(second, "airgap-") {
		t.Errorf("not rebuilt after a change: %s", second)
	}
	if log, err := os.ReadFile(filepath.Join(f.bin, "go.log")); err != nil || string(log) != strings.Repeat("install for  with -buildvcs=false, off, auto\n", 3) {
		t.Errorf("want three builds for this machine, got %s%v", log, err)
	}
	f.want(f.run([]string{"HYPERKUBE_PROFILE=online"}, "version"), "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	f.want(f.run(nil, "version"), "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	f.checkClean()
}

// TestBazelwWithoutApt checks that the profile is online where the airgap profile
// cannot work, even if the registry does not respond.
func TestBazelwWithoutApt(t *testing.T) {
	const online = "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]"
	f := newFixture(t, map[string]string{"curl": fails, "bazel": bazel, "go": golang})
	f.want(f.run(nil, "version"), online)
	f.checkClean()
	if err := os.WriteFile(filepath.Join(f.cacheDir, "bazel", "profile"), []byte("rm\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.want(f.run(nil, "version"), online)
	f.checkClean()
}

// checkClean fails if temporary files exist.
func (f fixture) checkClean() {
	f.t.Helper()
	left, err := filepath.Glob(filepath.Join(f.cacheDir, "bazel", "*"))
	if err != nil {
		f.t.Fatal(err)
	}
	programs, err := filepath.Glob(filepath.Join(f.cacheDir, "bazel/bin", "*"))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, path := range slices.Concat(left, programs) {
		name := filepath.Base(path)
		if !slices.Contains([]string{"bin", "profile", "online.bazelrc"}, name) && !strings.HasPrefix(name, "airgap-") && name != "bazelisk-v1.27.0" ||
			strings.HasPrefix(name, "airgap-") && len(name) != len("airgap-0123456789abcdef") {
			f.t.Errorf("left %q", path)
		}
	}
}
