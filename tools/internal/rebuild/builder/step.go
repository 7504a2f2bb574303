package builder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// Step is one go command of a plan and the environment that runs it.
type Step struct {
	Build    buildplan.Build
	env      buildplan.BuildEnv
	tree     *sourcetree.Tree
	cache    string // Go's build cache
	title    string // for progress
	memory   memory
	progress *progress.Reporter
}

// Step prepares a build. A static build runs in the sandbox of the host, a cgo
// build in a Debian root with the compiler of upstream's build image.
func (w *Workspace) Step(ctx context.Context, b buildplan.Build) (*Step, error) {
	env := w.Env
	if !b.Static() {
		if hostPlatform != "linux/amd64" {
			return nil, fmt.Errorf("building with cgo: upstream's C compiler runs on linux/amd64, this machine is %s", hostPlatform)
		}
		root, err := debian.Ensure(ctx, debian.Config{
			Dir: filepath.Join(w.config.Cache, "roots"), Log: w.config.Log, Progress: w.config.Progress, Getenv: w.config.Getenv,
		}, debian.Spec{
			Suite: w.Tree.Image.Suite, Security: true,
			// One root serves both architectures, so it is made once.
			Packages: []string{"gcc", "libc6-dev", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"},
		})
		if err != nil {
			return nil, err
		}
		env.Sandbox = root
	}
	return w.newStep(env, b)
}

func (w *Workspace) newStep(env buildplan.BuildEnv, b buildplan.Build) (*Step, error) {
	s := &Step{
		Build: b, env: env, tree: w.Tree, progress: w.config.Progress,
		cache: sourcetree.BuildCache(w.config.Dir(), "go"+w.Tree.Image.Go, env.Sandbox.Name()),
		title: fmt.Sprintf("%s %s %s/%s", strings.Join(b.Binaries(), ", "), w.Tree.Version, b.Getenv("GOOS"), b.Getenv("GOARCH")),
	}
	return s, makeCache(s.cache)
}

// makeCache creates a build cache and sets its modification time, by which
// [Config.EvictCaches] orders caches.
func makeCache(dir string) error {
	now := time.Now()
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.Chtimes(dir, now, now)
	}
	if err != nil {
		return fmt.Errorf("creating a build cache: %w", err)
	}
	return nil
}

// Run compiles and links. Compilers run concurrently. Linkers take up to 1.6 GB
// each, so one runs at a time.
func (s *Step) Run(ctx context.Context) (results.Build, error) {
	record := results.Build{Toolchain: "go" + s.tree.Image.Go, System: s.env.Sandbox.Name(), BuiltWith: s.Build.Binaries()}
	if root, ok := s.env.Sandbox.(*debian.Root); ok {
		var err error
		if record.Compiler, err = compilerPackage(root, s.Build.Getenv("CC")); err != nil {
			return record, err
		}
		record.System = s.tree.Image.Suite
	}
	start := time.Now()
	if err := s.Compile(ctx); err != nil {
		return record, err
	}
	if err := s.link(ctx); err != nil {
		return record, err
	}
	record.Seconds, record.PeakMiB = int(time.Since(start).Round(time.Second)/time.Second), int(s.memory>>20)
	return record, nil
}

// Output returns the path of the binary that was built of a package.
func (s *Step) Output(pkg string) (string, error) { return s.env.Output(s.Build, pkg) }

var gccPackage = regexp.MustCompile(`^gcc-[0-9]+-?([a-z0-9_]+-linux-gnu)?$`)

// compilerPackage returns the Debian package of a root's C compiler with its
// version: "gcc-10 10.2.1-6".
func compilerPackage(root *debian.Root, cc string) (string, error) {
	packages, err := root.Packages()
	if err != nil {
		return "", err
	}
	target := strings.TrimSuffix(cc, "-gcc") // aarch64-linux-gnu
	for _, p := range packages {
		if m := gccPackage.FindStringSubmatch(p.Name); m != nil && m[1] == target {
			return p.Name + " " + p.Version, nil
		}
	}
	return "", fmt.Errorf("finding the package of the C compiler %q: not in the root %q", cc, root.Name())
}

// countPackages returns the number of packages that a build compiles.
func (s *Step) countPackages(ctx context.Context) (int64, error) {
	out, err := s.list(ctx, s.Build.Packages(), "-deps", "-f", "{{.ImportPath}}")
	if err != nil {
		return 0, fmt.Errorf("listing packages: %w", err)
	}
	return int64(strings.Count(string(out), "\n")), nil
}

// list runs go list with the flags of the build.
func (s *Step) list(ctx context.Context, packages []string, args ...string) ([]byte, error) {
	b := s.Build
	flags := b.Args[1 : len(b.Args)-len(b.Packages())]
	b.Args = slices.Concat([]string{"list"}, args, flags, packages)
	return gotool.Output(s.env.Command(ctx, b, s.cache))
}
