// Package buildplan finds out how a Kubernetes version builds its binaries, by
// letting the version's own scripts do all but the compilation: they run with
// a go that only writes down what it is asked to do. So nothing about flags,
// tags or environment is written here, and a future version needs no change.
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

	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// Where things are while building. Upstream's release job has the tree below
// /workspace/src and builds it with `make cross-in-a-container`, which puts
// the output below _output/dockerized; before v1.30 both show in the binaries.
// The image has Go at /usr/local/go.
const (
	sourceDir = "/workspace/src/k8s.io/kubernetes"
	outputSub = "_output/dockerized"
	goroot    = "/usr/local/go"
	cacheDir  = "/gocache"
	toolsDir  = "/standin/tools"  // git
	holdDir   = "/standin/hold"   // go
	recordDir = "/standin/record" // what the latter wrote

	memoryLimit = "1GiB" // of each process; it is a wish and not a bound
)

// Room runs programs in isolation; hostroot.Root and debian.Root do.
type Room interface {
	Command(ctx context.Context, run debian.Run) *exec.Cmd
	Name() string
}

// Site is a place to plan and build in.
type Site struct {
	Room   Room
	Source string // the tree
	Goroot string
	Work   string // a folder of this process alone
	Jobs   int    // how many compilers run at once
}

// Stamp is what goes into a version's binaries beside its sources.
type Stamp struct {
	Version    string
	Commit     string
	CommitTime time.Time
	BuildDate  time.Time
}

// Build is one go command of a plan.
type Build struct {
	Dir  string
	Args []string // from "install" on
	Env  []string
}

// Layout lists what the version's release builds.
func (s Site) Layout(ctx context.Context) (Layout, error) {
	cross, err := os.ReadFile(filepath.Join(s.Source, "hack/make-rules/cross.sh"))
	if err != nil {
		return Layout{}, fmt.Errorf("reading the order of the release's phases: %w", err)
	}
	phases, err := parseCross(string(cross))
	if err != nil {
		return Layout{}, err
	}
	if err := s.prepare(Stamp{Version: "v0.0.0"}); err != nil {
		return Layout{}, err
	}
	script := "source hack/lib/init.sh\n"
	for _, p := range phases {
		script += fmt.Sprintf("printf '%%s\\0' %s \"${KUBE_%s_TARGETS[@]}\" ''\n", p, p)
	}
	out, err := s.run(ctx, Stamp{}, "", []string{"/bin/bash", "-c", script})
	if err != nil {
		return Layout{}, fmt.Errorf("asking the tree's scripts for their targets: %w", err)
	}
	return parseLayout(out)
}

// Plan lets the tree's scripts plan a build of targets for a platform.
func (s Site) Plan(ctx context.Context, stamp Stamp, platform string, targets []string) ([]Build, error) {
	if err := s.prepare(stamp); err != nil {
		return nil, err
	}
	args := append([]string{"/bin/bash", "hack/make-rules/build.sh"}, targets...)
	if _, err := s.run(ctx, stamp, platform, args); err != nil {
		return nil, fmt.Errorf("planning with the tree's scripts: %w", err)
	}
	record, err := os.ReadFile(filepath.Join(s.Work, "record", "builds"))
	if err != nil {
		return nil, fmt.Errorf("planning with the tree's scripts: they ran no build: %w", err)
	}
	return parseRecord(record)
}

// Command prepares a build of a plan. Its cache is kept between builds.
func (s Site) Command(ctx context.Context, b Build, cache string, more ...string) *exec.Cmd {
	env := []string{
		"PATH=" + toolsDir + ":" + goroot + "/bin:/usr/bin:/bin",
		"GOCACHE=" + cacheDir,
		// Linkers would take twice the memory for the sake of a second.
		"GOMEMLIMIT=" + memoryLimit,
	}
	for _, e := range b.Env {
		if key, _, _ := strings.Cut(e, "="); key != "PATH" && key != "GOCACHE" && key != "GOMEMLIMIT" {
			env = append(env, e)
		}
	}
	args := append([]string{goroot + "/bin/go", b.Args[0]}, more...)
	return s.Room.Command(ctx, debian.Run{
		Args: append(args, b.Args[1:]...), Env: env, Dir: b.Dir,
		Binds: append(s.binds(), debian.Bind{Src: cache, Dst: cacheDir}),
	})
}

// Output is where, on the machine, a build of a plan leaves the program of a
// package.
func (s Site) Output(b Build, pkg string) (string, error) {
	gopath := b.Getenv("GOPATH")
	rest, ok := strings.CutPrefix(gopath, sourceDir+"/_output/")
	if !ok {
		return "", fmt.Errorf("finding what was built: GOPATH=%q is not below the output folder", gopath)
	}
	bin := filepath.Join(s.Work, "output", rest, "bin")
	for _, dir := range []string{filepath.Join(bin, b.Getenv("GOOS")+"_"+b.Getenv("GOARCH")), bin} {
		name := filepath.Join(dir, path.Base(pkg))
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("finding what was built: no %q in %q", path.Base(pkg), bin)
}

// Getenv is a variable of the build's environment.
func (b Build) Getenv(name string) string {
	for _, e := range b.Env {
		if key, value, _ := strings.Cut(e, "="); key == name {
			return value
		}
	}
	return ""
}

// Static reports whether the build runs no C compiler.
func (b Build) Static() bool { return b.Getenv("CGO_ENABLED") == "0" }

// Packages are the packages that the build installs.
func (b Build) Packages() []string {
	i := len(b.Args)
	for i > 1 && !strings.HasPrefix(b.Args[i-1], "-") {
		i--
	}
	return b.Args[i:]
}

// prepare writes the stand-ins.
func (s Site) prepare(stamp Stamp) error {
	version, err := versionFile(stamp.Version, stamp.Commit)
	if err != nil {
		return err
	}
	for _, dir := range []string{"tools", "hold", "record", "output", "tmp"} {
		if err := os.MkdirAll(filepath.Join(s.Work, dir), 0o755); err != nil {
			return fmt.Errorf("making a folder to build in: %w", err)
		}
	}
	for name, text := range map[string]string{
		"tools/git":     gitStandIn(stamp.Commit, stamp.Version, stamp.CommitTime),
		"tools/version": version,
		"hold/go":       goRecorder,
	} {
		if err := os.WriteFile(filepath.Join(s.Work, name), []byte(text), 0o755); err != nil {
			return fmt.Errorf("writing a stand-in: %w", err)
		}
	}
	if err := os.RemoveAll(filepath.Join(s.Work, "record", "builds")); err != nil {
		return fmt.Errorf("removing an earlier plan: %w", err)
	}
	return nil
}

func (s Site) binds() []debian.Bind {
	in := func(name string) string { return filepath.Join(s.Work, name) }
	return []debian.Bind{
		{Src: s.Goroot, Dst: goroot, ReadOnly: true},
		{Src: s.Source, Dst: sourceDir, ReadOnly: true},
		{Src: in("output"), Dst: sourceDir + "/_output"},
		{Src: in("tools"), Dst: toolsDir, ReadOnly: true},
		{Src: in("hold"), Dst: holdDir, ReadOnly: true},
		{Src: in("record"), Dst: recordDir},
		{Src: in("tmp"), Dst: "/tmp"},
	}
}

// run lets a script of the tree speak.
func (s Site) run(ctx context.Context, stamp Stamp, platform string, args []string) ([]byte, error) {
	cmd := s.Room.Command(ctx, debian.Run{
		Args: args, Dir: sourceDir, Binds: s.binds(),
		Env: []string{
			"PATH=" + holdDir + ":" + toolsDir + ":" + goroot + "/bin:/usr/bin:/bin",
			"HOME=/tmp", "LC_ALL=C", "TZ=UTC",
			"GOENV=off", "GOPROXY=off", "GOTOOLCHAIN=local", "GOTELEMETRY=off",
			// Given, the scripts do not build a program to count processors.
			"GOMAXPROCS=" + strconv.Itoa(max(1, s.Jobs)),
			"KUBE_BUILD_PLATFORMS=" + platform,
			"KUBE_GIT_VERSION_FILE=" + toolsDir + "/version",
			"KUBE_OUTPUT_SUBPATH=" + outputSub,
			"SOURCE_DATE_EPOCH=" + strconv.FormatInt(stamp.BuildDate.Unix(), 10),
		},
	})
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.Split(strings.TrimSpace(stdout.String()+stderr.String()), "\n")
		return nil, errors.Join(err, errors.New(strings.Join(said[max(0, len(said)-8):], "; ")))
	}
	return stdout.Bytes(), nil
}
