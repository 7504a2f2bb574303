package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
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
	bazel = `[ "$*" != --version ] || { echo "bazel 7.4.0"; exit; }
echo "$(basename "$0") $*"; exit 37`
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
	f.write(".bazelversion", "7.7.1\n", 0o644)
	f.write("tools/airgap/sandbox/private.txt", ".ssh\n.netrc\nrepo\n.none\n", 0o644)
	for _, name := range []string{
		"bash", "sh", "env", "readlink", "dirname", "basename", "mkdir", "rmdir", "cat", "mv", "rm",
		"uname", "find", "sort", "xargs", "sha256sum", "chmod", "id", "cp", "true",
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
		f.program(name, body)
	}
	return f
}

// program writes a fake program.
func (f fixture) program(name, body string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		f.t.Fatal(err)
	}
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
	if rc, err := os.ReadFile(filepath.Join(f.cacheDir, "bazel/online.bazelrc")); err != nil || string(rc) != `common --repo_env=HYPERKUBE_STORE="`+f.cacheDir+"/store\"\n" {
		t.Errorf("options: %q, %v", rc, err)
	}
	// The saved profile is used.
	f.program("curl", fails)
	f.want(f.run(nil, "build", "//x", "--", "-y"), want)
	// bazelisk is preferred: it uses the version in .bazelversion.
	f.program("bazelisk", bazel)
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

// TestBazelwVersion checks that Bazel on PATH is used only in the required major
// version, and that bazelisk verifies the release in .bazelversion.
func TestBazelwVersion(t *testing.T) {
	const other = `[ "$*" != --version ] || { echo "bazel 9.2.0"; exit; }
echo unexpected`
	f := newFixture(t, map[string]string{"curl": succeeds, "bazel": other, "go": golang})
	f.want(f.run(nil, "version"), "bazelw: bazel on PATH is 9.2.0, and 7.7.1 is required: using bazelisk\n"+
		"bazelw: installing bazelisk v1.27.0 from the Go module proxy\n"+
		"bazelisk-v1.27.0 --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	f.program("bazel", "echo broken >&2; exit 1")
	f.want(f.run(nil, "version"), "bazelw: bazel on PATH is not usable, and 7.7.1 is required: using bazelisk\n"+
		"bazelisk-v1.27.0 --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	f.program("bazel", other)
	f.want(f.run([]string{"USE_BAZEL_VERSION=9.1.0"}, "version"), "unexpected\n[0]")

	f.program("bazelisk", `echo "$USE_BAZEL_VERSION $BAZELISK_VERIFY_SHA256"`)
	version, err := os.ReadFile("../../.bazelversion")
	if err != nil {
		t.Fatal(err)
	}
	f.write(".bazelversion", string(version), 0o644)
	for _, platform := range []string{"Linux x86_64", "Linux aarch64", "Darwin x86_64", "Darwin arm64"} {
		name, machine, _ := strings.Cut(platform, " ")
		if err := os.Remove(filepath.Join(f.bin, "uname")); err != nil {
			t.Fatal(err)
		}
		f.program("uname", fmt.Sprintf("[ \"$1\" = -m ] && echo %s || echo %s", machine, name))
		got := f.run(nil, "version")
		if want := regexp.MustCompile("^" + regexp.QuoteMeta(strings.TrimSpace(string(version))) + ` [0-9a-f]{64}\n\[0\]$`); !want.MatchString(got) {
			t.Errorf("%s: bazelisk has version and sha256 %q, want %s", platform, got, want)
		}
	}
	f.want(f.run([]string{"USE_BAZEL_VERSION=8.7.0"}, "version"), "8.7.0 \n[0]")
}

// TestBazelwSlowRegistry checks that one response that is missing does not make
// the airgap profile permanent.
func TestBazelwSlowRegistry(t *testing.T) {
	f := newFixture(t, map[string]string{
		"curl": `[ -e "$0.log" ] || { echo "$*" > "$0.log"; exit 28; }`, "bazel": bazel, "go": golang, "apt-get": succeeds,
	})
	f.want(f.run(nil, "version"), "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	if _, err := os.Stat(filepath.Join(f.bin, "curl.log")); err != nil {
		t.Errorf("the registry was not requested: %v", err)
	}
}

func TestBazelwDirectories(t *testing.T) {
	f := newFixture(t, map[string]string{"curl": succeeds, "bazel": bazel})
	f.want(f.run([]string{"HOME=", "HYPERKUBE_CACHE="}, "version"),
		"bazelw: cannot choose a cache directory: set HYPERKUBE_CACHE, XDG_CACHE_HOME or HOME\n[1]")
	for setting, shown := range map[string]string{
		"HYPERKUBE_STORE=relative":          "relative",
		"HYPERKUBE_STORE=/a\nstartup --foo": `$'/a\nstartup --foo'`,
		"HYPERKUBE_CACHE=/a\rstartup --foo": `$'/a\rstartup --foo'`,
		"XDG_CACHE_HOME=here":               "here/hyperkube",
	} {
		env := []string{setting}
		if strings.HasPrefix(setting, "XDG") {
			env = append(env, "HYPERKUBE_CACHE=")
		}
		f.want(f.run(env, "version"), "bazelw: invalid directory "+shown+
			": want an absolute path without line breaks in HYPERKUBE_CACHE, HYPERKUBE_STORE, XDG_CACHE_HOME and HOME\n[1]")
	}
	f.want(f.run([]string{`HYPERKUBE_STORE=/a b/"c\d' #e`}, "version"), "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	const want = `common --repo_env=HYPERKUBE_STORE="/a b/\"c\\d' #e"` + "\n"
	if rc, err := os.ReadFile(filepath.Join(f.cacheDir, "bazel/online.bazelrc")); err != nil || string(rc) != want {
		t.Errorf("options: %q, %v, want %q", rc, err, want)
	}
}

// TestBazelwPrivateFiles checks that actions cannot read private files that exist,
// but the repository even if its parent directory is private.
func TestBazelwPrivateFiles(t *testing.T) {
	f := newFixture(t, map[string]string{"curl": succeeds, "bazel": bazel})
	home := t.TempDir()
	for _, dir := range []string{".ssh/keys", "repo", "mod"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, ".netrc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	repo := filepath.Join(home, "repo", "hyperkube")
	if err := os.CopyFS(repo, os.DirFS(f.dir)); err != nil {
		t.Fatal(err)
	}
	f.dir = repo
	f.want(f.run([]string{"HOME=" + home, "GOMODCACHE=" + home + "/mod", "GOCACHE=" + home + "/.ssh/keys"}, "version"), "bazel --bazelrc=CACHE/bazel/online.bazelrc version\n[37]")
	rc, err := os.ReadFile(filepath.Join(f.cacheDir, "bazel/online.bazelrc"))
	if err != nil {
		t.Fatal(err)
	}
	_, options, _ := strings.Cut(string(rc), "\n")
	f.want(strings.ReplaceAll(options, home, "HOME"), `build --sandbox_block_path="HOME/.netrc"
build --sandbox_block_path="HOME/.ssh"
build --sandbox_block_path="HOME/mod"
`)
}

// TestBazelwPlantedPrograms checks that no program is executed that another user
// could have written to the cache.
func TestBazelwPlantedPrograms(t *testing.T) {
	f := newFixture(t, map[string]string{"curl": succeeds, "go": golang})
	f.run(nil, "version")
	program := filepath.Join(f.cacheDir, "bazel/bin/bazelisk-v1.27.0")
	const runs = "bazelisk-v1.27.0 --bazelrc=CACHE/bazel/online.bazelrc version\n[37]"
	f.want(f.run(nil, "version"), runs)
	refused := func(change string) {
		t.Helper()
		got := f.run(nil, "version")
		if !strings.HasPrefix(got, "bazelw: refusing to execute CACHE/bazel/bin/bazelisk-v1.27.0: other users can replace it through ") || !strings.HasSuffix(got, "[1]") {
			t.Errorf("%s: got %s", change, got)
		}
	}
	for _, path := range []string{program, filepath.Dir(program), filepath.Join(f.cacheDir, "bazel"), f.cacheDir} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		refused("world-writable " + path)
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f.want(f.run(nil, "version"), runs)
	// A user namespace may have no other users.
	if err := os.Chown(program, 12345, 0); err == nil {
		refused("of another owner")
		f.want(f.run([]string{"SUDO_UID=12345"}, "version"), runs)
		if err := errors.Join(os.Chown(program, 0, 12345), os.Chmod(program, 0o775)); err != nil {
			t.Fatal(err)
		}
		refused("writable by another group")
		f.want(f.run([]string{"SUDO_GID=12345"}, "version"), runs)
	}
	if err := os.Rename(program, program+"-moved"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program+"-moved", program); err != nil {
		t.Fatal(err)
	}
	refused("symlink")
}

func TestBazelwSandbox(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	const denied = `[ "$1" = --version ] || { echo "unshare: not permitted" >&2; exit 1; }`
	const runs = "bazel --bazelrc=CACHE/bazel/online.bazelrc "
	f := newFixture(t, map[string]string{"curl": succeeds, "bazel": bazel, "unshare": denied})
	for _, command := range []string{"build", "test", "run", "coverage"} {
		got := f.run(nil, "--batch", command, "//x")
		lines := strings.Split(got, "\n")
		if len(lines) != 4 || lines[0] != "bazelw: Bazel's sandbox needs user namespaces, and this machine permits none: unshare: not permitted" ||
			!strings.HasPrefix(lines[1], "bazelw: Fix: ") ||
			lines[2] != "bazelw: or build without isolation of actions: echo 'build --spawn_strategy=processwrapper-sandbox' >>REPO/user.bazelrc" || lines[3] != "[1]" {
			t.Errorf("%s: got %s", command, got)
		}
	}
	f.checkClean()
	f.want(f.run(nil, "query", "//x"), runs+"query //x\n[37]")
	f.want(f.run(nil, "build", "--config=remote", "//x"), runs+"build --config=remote //x\n[37]")
	f.want(f.run(nil, "build", "--spawn_strategy=local", "//x"), runs+"build --spawn_strategy=local //x\n[37]")
	f.write("user.bazelrc", "build --spawn_strategy=processwrapper-sandbox\n", 0o644)
	f.want(f.run(nil, "build", "//x"), runs+"build //x\n[37]")
	f.write("user.bazelrc", "", 0o644)
	f.write("home/.bazelrc", "build --spawn_strategy=local\n", 0o644)
	f.want(f.run([]string{"HOME=" + filepath.Join(f.dir, "home")}, "build", "//x"), runs+"build //x\n[37]")

	// A good result is saved.
	f.program("unshare", `[ "$1" = --version ] || echo probed >> `+f.bin+"/unshare.log")
	for range 2 {
		f.want(f.run(nil, "build", "//x"), runs+"build //x\n[37]")
	}
	if log, err := os.ReadFile(filepath.Join(f.bin, "unshare.log")); err != nil || string(log) != "probed\n" {
		t.Errorf("probes: %q, %v, want one", log, err)
	}
	f.checkClean()
}

// TestBazelwWithoutNamespaces runs bazelw where the kernel permits no user
// namespaces.
func TestBazelwWithoutNamespaces(t *testing.T) {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("needs unshare")
	}
	const limit = `echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"`
	if out, err := exec.Command(unshare, "-Ur", "sh", "-c", limit, "sh", "true").CombinedOutput(); err != nil {
		t.Skipf("needs a user namespace: %v: %s", err, out)
	}
	f := newFixture(t, map[string]string{"curl": succeeds, "bazel": bazel})
	if err := os.Symlink(unshare, filepath.Join(f.bin, "unshare")); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(f.dir, "bazelw")
	if err := os.Rename(script, script+".sh"); err != nil {
		t.Fatal(err)
	}
	f.write("bazelw", "#!/bin/sh\nexec unshare -Ur sh -c '"+limit+"' sh \"$0.sh\" \"$@\"\n", 0o755)
	got := f.run(nil, "build", "//x")
	if !strings.HasPrefix(got, "bazelw: Bazel's sandbox needs user namespaces, and this machine permits none: unshare: unshare failed: ") ||
		!strings.Contains(got, "\nbazelw: Fix: sudo sysctl -w ") || !strings.HasSuffix(got, "[1]") {
		t.Errorf("got %s", got)
	}
	f.want(f.run(nil, "query", "//x"), "bazel --bazelrc=CACHE/bazel/online.bazelrc query //x\n[37]")
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
		if !slices.Contains([]string{"bin", "profile", "online.bazelrc", "sandbox"}, name) && !strings.HasPrefix(name, "airgap-") && name != "bazelisk-v1.27.0" ||
			strings.HasPrefix(name, "airgap-") && len(name) != len("airgap-0123456789abcdef") {
			f.t.Errorf("left %q", path)
		}
	}
}
