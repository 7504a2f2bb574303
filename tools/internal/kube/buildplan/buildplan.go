// Package buildplan determines the go commands that build the binaries of a
// Kubernetes version. The version's own scripts plan the build: they run with a
// shim in place of go that records builds and does not run them. So flags, tags
// and environment are not repeated in this repository, and a new version needs
// no code.
package buildplan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// Paths in the sandbox. They cannot be derived from the version's files.
// Upstream's release job has the tree below /workspace/src and builds it with
// `make cross-in-a-container`, which writes to _output/dockerized. Binaries
// before v1.30 contain both paths. Upstream's image has Go in /usr/local/go.
// The paths of the shims are in no binary.
const (
	sourceDir = "/workspace/src/k8s.io/kubernetes"
	outputSub = "_output/dockerized"
	goroot    = "/usr/local/go"
	cacheDir  = "/gocache"
	toolsDir  = "/shim/tools"  // git
	binDir    = "/shim/bin"    // go, while planning
	recordDir = "/shim/record" // builds that the go shim records

	memoryLimit = "1GiB" // of each go process, a soft limit
)

// Sandbox runs programs in isolation. It is implemented by host.Root and
// debian.Root.
type Sandbox interface {
	Command(ctx context.Context, run debian.Run) *exec.Cmd
	Name() string
}

// BuildEnv is an environment for planning and building.
type BuildEnv struct {
	Sandbox  Sandbox
	Source   string // source tree
	Goroot   string
	Work     string // directory of this process alone
	Parallel int    // number of concurrent compilers
}

// Stamp has the values that are stamped into the binaries of a version.
type Stamp struct {
	Version    string
	Commit     string
	CommitTime time.Time
	BuildDate  time.Time
}

// Build is one go command of a plan.
type Build struct {
	Dir  string
	Args []string // begins with "install"
	Env  []string
}

// Layout returns the phases of the version's release and their targets.
func (e BuildEnv) Layout(ctx context.Context) (Layout, error) {
	cross, err := gotool.ReadFile(filepath.Join(e.Source, "hack/make-rules/cross.sh"), gotool.MaxSource)
	if err != nil {
		return Layout{}, fmt.Errorf("reading the phases of the release: %w", err)
	}
	phases, err := parseCross(string(cross))
	if err != nil {
		return Layout{}, err
	}
	if err := e.prepare(Stamp{Version: "v0.0.0"}); err != nil {
		return Layout{}, err
	}
	script := "source hack/lib/init.sh\n"
	for _, p := range phases {
		script += fmt.Sprintf("printf '%%s\\0' %s \"${KUBE_%s_TARGETS[@]}\" ''\n", p, p)
	}
	out, err := e.runScript(ctx, Stamp{}, "", []string{"/bin/bash", "-c", script})
	if err != nil {
		return Layout{}, fmt.Errorf("listing the targets of hack/lib/init.sh: %w", err)
	}
	return parseLayout(out)
}

// Plan runs hack/make-rules/build.sh to plan a build of targets for a platform.
func (e BuildEnv) Plan(ctx context.Context, stamp Stamp, platform string, targets []string) ([]Build, error) {
	if err := e.prepare(stamp); err != nil {
		return nil, err
	}
	args := append([]string{"/bin/bash", "hack/make-rules/build.sh"}, targets...)
	if _, err := e.runScript(ctx, stamp, platform, args); err != nil {
		return nil, fmt.Errorf("planning with hack/make-rules/build.sh: %w", err)
	}
	record, err := os.ReadFile(filepath.Join(e.Work, "record", "builds"))
	if err != nil {
		return nil, fmt.Errorf("planning with hack/make-rules/build.sh: no build recorded: %w", err)
	}
	return parseRecord(record)
}

// Command returns the command of a build. The go build cache is in cache. The
// arguments more follow the go subcommand.
func (e BuildEnv) Command(ctx context.Context, b Build, cache string, more ...string) *exec.Cmd {
	env := []string{
		"PATH=" + toolsDir + ":" + goroot + "/bin:/usr/bin:/bin",
		"GOCACHE=" + cacheDir,
		// Without a limit, linkers take twice the memory and save a second.
		"GOMEMLIMIT=" + memoryLimit,
	}
	for _, v := range b.Env {
		if key, _, _ := strings.Cut(v, "="); key != "PATH" && key != "GOCACHE" && key != "GOMEMLIMIT" {
			env = append(env, v)
		}
	}
	args := append([]string{goroot + "/bin/go", b.Args[0]}, more...)
	return e.Sandbox.Command(ctx, debian.Run{
		Args: append(args, b.Args[1:]...), Env: env, Dir: b.Dir,
		Binds: append(e.binds(), debian.Bind{Src: cache, Dst: cacheDir}),
	})
}

// Output returns the path, outside of the sandbox, of the binary that a build
// made of a package.
func (e BuildEnv) Output(b Build, pkg string) (string, error) {
	gopath := b.Getenv("GOPATH")
	rest, ok := strings.CutPrefix(gopath, sourceDir+"/_output/")
	if !ok {
		return "", fmt.Errorf("finding the output of a build: GOPATH=%q is not below %s/_output", gopath, sourceDir)
	}
	bin := filepath.Join(e.Work, "output", rest, "bin")
	for _, dir := range []string{filepath.Join(bin, b.Getenv("GOOS")+"_"+b.Getenv("GOARCH")), bin} {
		name := filepath.Join(dir, path.Base(pkg))
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("finding the output of a build: no %q in %q", path.Base(pkg), bin)
}

// Getenv returns a variable of the build's environment.
func (b Build) Getenv(name string) string {
	for _, v := range b.Env {
		if key, value, _ := strings.Cut(v, "="); key == name {
			return value
		}
	}
	return ""
}

// Static reports whether the build has cgo disabled and so runs no C compiler.
func (b Build) Static() bool { return b.Getenv("CGO_ENABLED") == "0" }

// Packages returns the packages that the build installs.
func (b Build) Packages() []string {
	i := len(b.Args)
	for i > 1 && !strings.HasPrefix(b.Args[i-1], "-") {
		i--
	}
	return b.Args[i:]
}

// WithPackages returns the build with other packages.
func (b Build) WithPackages(packages ...string) Build {
	flags := b.Args[:len(b.Args)-len(b.Packages())]
	b.Args = append(flags[:len(flags):len(flags)], packages...)
	return b
}

// Package returns the package of a binary, or "" if the build has none.
func (b Build) Package(binary string) string {
	for _, pkg := range b.Packages() {
		if path.Base(pkg) == binary {
			return pkg
		}
	}
	return ""
}

// Binaries returns the names of the binaries that the build installs.
func (b Build) Binaries() []string {
	var names []string
	for _, pkg := range b.Packages() {
		names = append(names, path.Base(pkg))
	}
	return names
}

// Settings returns the variables of the environment that affect the result of
// the go command and of compilers.
func (b Build) Settings() []string {
	var settings []string
	for _, v := range b.Env {
		key, _, _ := strings.Cut(v, "=")
		switch {
		case key == "GOMAXPROCS", key == "GOCACHE": // these do not affect the result
		case strings.HasPrefix(key, "GO"), strings.HasPrefix(key, "CGO_"), key == "CC", key == "LC_ALL", key == "TZ":
			settings = append(settings, v)
		}
	}
	return settings
}

// prepare writes the shims and removes an earlier plan.
func (e BuildEnv) prepare(stamp Stamp) error {
	version, err := versionFile(stamp.Version, stamp.Commit)
	if err != nil {
		return err
	}
	for _, dir := range []string{"tools", "bin", "record", "output", "tmp"} {
		if err := os.MkdirAll(filepath.Join(e.Work, dir), 0o755); err != nil {
			return fmt.Errorf("creating a build directory: %w", err)
		}
	}
	for name, text := range map[string]string{
		"tools/git":     gitShim(stamp.Commit, stamp.Version, stamp.CommitTime),
		"tools/version": version,
		"bin/go":        goShim,
	} {
		if err := os.WriteFile(filepath.Join(e.Work, name), []byte(text), 0o755); err != nil {
			return fmt.Errorf("writing a shim: %w", err)
		}
	}
	if err := os.RemoveAll(filepath.Join(e.Work, "record", "builds")); err != nil {
		return fmt.Errorf("removing an earlier plan: %w", err)
	}
	return nil
}

func (e BuildEnv) binds() []debian.Bind {
	in := func(name string) string { return filepath.Join(e.Work, name) }
	return []debian.Bind{
		{Src: e.Goroot, Dst: goroot, ReadOnly: true},
		{Src: e.Source, Dst: sourceDir, ReadOnly: true},
		{Src: in("output"), Dst: sourceDir + "/_output"},
		{Src: in("tools"), Dst: toolsDir, ReadOnly: true},
		{Src: in("bin"), Dst: binDir, ReadOnly: true},
		{Src: in("record"), Dst: recordDir},
		{Src: in("tmp"), Dst: "/tmp"},
	}
}

// runScript runs a script of the tree with the shims and returns its stdout.
func (e BuildEnv) runScript(ctx context.Context, stamp Stamp, platform string, args []string) ([]byte, error) {
	cmd := e.Sandbox.Command(ctx, debian.Run{
		Args: args, Dir: sourceDir, Binds: e.binds(),
		Env: []string{
			"PATH=" + binDir + ":" + toolsDir + ":" + goroot + "/bin:/usr/bin:/bin",
			"HOME=/tmp", "LC_ALL=C", "TZ=UTC",
			"GOENV=off", "GOPROXY=off", "GOTOOLCHAIN=local", "GOTELEMETRY=off",
			// If unset, the scripts build a program to count processors.
			"GOMAXPROCS=" + strconv.Itoa(max(1, e.Parallel)),
			"KUBE_BUILD_PLATFORMS=" + platform,
			"KUBE_GIT_VERSION_FILE=" + toolsDir + "/version",
			"KUBE_OUTPUT_SUBPATH=" + outputSub,
			"SOURCE_DATE_EPOCH=" + strconv.FormatInt(stamp.BuildDate.Unix(), 10),
		},
	})
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(stdout.String()+stderr.String()), "\n")
		return nil, errors.Join(err, errors.New(strings.Join(lines[max(0, len(lines)-8):], "; ")))
	}
	return stdout.Bytes(), nil
}
