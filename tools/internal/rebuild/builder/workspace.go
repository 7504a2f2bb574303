// Package builder runs the go commands of a build plan: it prepares sources,
// toolchain, sandbox and build cache, compiles and links, and attests what it
// built.
package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/host"
)

// Config has the settings that builds of all versions share.
type Config struct {
	Cache    string // $HYPERKUBE_CACHE
	GoSum    string // go.sum to trust in place of the Go checksum database, or ""
	Parallel int    // number of concurrent compilers
	Getenv   func(string) string
	Log      io.Writer // receives the output of mmdebstrap
	Progress *progress.Reporter
}

// DefaultParallel returns the default of Config.Parallel. Two compilers need
// 2 GiB of memory, and each further one up to 1 GiB.
func DefaultParallel() int { return min(2, runtime.NumCPU()) }

// hostPlatform is the platform of this machine, as in names of Go toolchains.
const hostPlatform = runtime.GOOS + "/" + runtime.GOARCH

// Dir returns the directory of everything that rebuilds keep. It may be removed
// at any time.
func (c Config) Dir() string { return filepath.Join(c.Cache, "rebuild") }

// Trees returns the configuration of source trees.
func (c Config) Trees(ctx context.Context) (sourcetree.Config, error) {
	tool, err := gotool.New(ctx, gotool.Config{Dir: filepath.Join(c.Dir(), "go"), Getenv: c.Getenv, GoSum: c.GoSum})
	return sourcetree.Config{Dir: sourcetree.Trees(c.Dir()), Tool: tool, Progress: c.Progress, Platform: hostPlatform}, err
}

// Workspace has everything that builds of one version need.
type Workspace struct {
	Tree   *sourcetree.Tree
	Layout buildplan.Layout
	Env    buildplan.BuildEnv // with the sandbox of the host

	config Config
	dir    *workDir
}

// Open prepares the sources and the toolchain of a version.
func (c Config) Open(ctx context.Context, version string) (_ *Workspace, err error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("rebuilding binaries needs Linux, this machine has %s", runtime.GOOS)
	}
	if err := c.checkRequirements(version); err != nil {
		return nil, err
	}
	sandbox, err := host.New(ctx)
	if err != nil {
		return nil, err
	}
	trees, err := c.Trees(ctx)
	if err != nil {
		return nil, err
	}
	tree, err := sourcetree.Ensure(ctx, trees, version)
	if err != nil {
		return nil, err
	}
	w := &Workspace{Tree: tree, config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.dir, err = newWorkDir(filepath.Join(c.Dir(), "work")); err != nil {
		return nil, err
	}
	w.Env = buildplan.BuildEnv{
		Sandbox: sandbox, Source: tree.Source(), Goroot: tree.Toolchain.Dir, Work: w.dir.path, Parallel: c.Parallel,
	}
	if err := c.checkCacheSpace("go"+tree.Image.Go, sandbox.Name()); err != nil {
		return nil, err
	}
	w.Layout, err = w.Env.Layout(ctx)
	return w, err
}

// Close releases the sources and removes what was built.
func (w *Workspace) Close() error {
	err := w.Tree.Close()
	if w.dir != nil {
		err = errors.Join(err, w.dir.remove())
	}
	return err
}

// Lock acquires the lock of the machine's compilers.
func (w *Workspace) Lock(ctx context.Context) (io.Closer, error) {
	return sourcetree.LockCompile(ctx, w.config.Dir(), w.config.Progress)
}

// Smallest returns the build of the one binary that has the fewest packages.
func (w *Workspace) Smallest(ctx context.Context, builds []buildplan.Build) (buildplan.Build, error) {
	var best buildplan.Build
	var fewest int64
	for _, b := range builds {
		for _, pkg := range b.Packages() {
			one := b.WithPackages(pkg)
			step, err := w.newStep(w.Env, one)
			if err != nil {
				return best, err
			}
			n, err := step.countPackages(ctx)
			if err != nil {
				return best, err
			}
			if fewest == 0 || n < fewest {
				best, fewest = one, n
			}
		}
	}
	return best, nil
}
