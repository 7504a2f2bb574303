// Package sourcetree puts a Kubernetes version's source tree together as it was
// when upstream built it, from published Go modules alone. The module
// k8s.io/kubernetes has the tree without staging/ and vendor/; what lies below
// staging/ is published module by module, and vendor/ follows from both.
package sourcetree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Config says where trees are kept and who fetches.
type Config struct {
	Dir      string
	Tool     *gotool.Tool
	Report   *progress.Reporter
	Platform string // of this machine, for toolchains: "linux/amd64"
}

// Tree is a version's source, ready to be built without a network. Nobody
// removes it before it is closed.
type Tree struct {
	Version   string
	Dir       string // the root of the sources
	Image     Image
	Toolchain gotool.Module
	Main      gotool.Module
	Staging   []gotool.Module // by path

	lock *os.File // shared with all who use the tree
}

// Close gives the tree up.
func (t *Tree) Close() error { return t.lock.Close() }

// layout is part of a tree's folder: raise it when trees come to be put
// together in another way.
const layout = "1"

// Dir is the folder of a version's tree in the folder of all.
func Dir(parent, version string) string { return filepath.Join(parent, version+"-"+layout) }

// Ensure returns the tree of a version and makes it first where it is missing.
// Several processes may ask at once, and be killed.
func Ensure(ctx context.Context, c Config, version string) (*Tree, error) {
	t := &Tree{Version: version, Dir: Dir(c.Dir, version)}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of source trees: %w", err)
	}
	for {
		err := t.use(ctx, c)
		if err == nil {
			return t, nil
		}
		if errors.Is(err, errNoTree) {
			err = t.make(ctx, c)
		}
		if err != nil {
			return nil, fmt.Errorf("preparing the sources of %s: %w", version, err)
		}
	}
}

// use takes a tree that is there.
func (t *Tree) use(ctx context.Context, c Config) (err error) {
	if t.lock, err = t.hold(ctx, c, lockfile.AcquireShared); err != nil {
		return err
	}
	if err = t.read(); err == nil {
		err = t.fetchMain(ctx, c)
	}
	if err != nil {
		return errors.Join(err, t.lock.Close())
	}
	return nil
}

// make puts a tree together that is not there.
func (t *Tree) make(ctx context.Context, c Config) error {
	lock, err := t.hold(ctx, c, lockfile.Acquire)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := t.read(); !errors.Is(err, errNoTree) {
		return err // nil: somebody else has made it
	}
	if err := t.fetchMain(ctx, c); err != nil {
		return err
	}
	return t.assemble(ctx, c)
}

type acquire func(ctx context.Context, path string, waiting func()) (*os.File, error)

func (t *Tree) hold(ctx context.Context, c Config, how acquire) (*os.File, error) {
	var waiting *progress.Task
	lock, err := how(ctx, lockOf(c, t.Version), func() {
		waiting = c.Report.Start("waiting for another process that prepares the sources of "+t.Version, "", 0)
	})
	if waiting != nil {
		waiting.Done()
	}
	return lock, err
}

func lockOf(c Config, version string) string { return filepath.Join(c.Dir, version+".lock") }

// fetchMain gets the main module and the toolchain it names; both are in the
// module cache after the first time.
func (t *Tree) fetchMain(ctx context.Context, c Config) error {
	modules, err := c.Tool.Download(ctx, []string{mainModule + "@" + t.Version}, nil)
	if err != nil {
		return err
	}
	t.Main = modules[0]
	cross, err := gotool.ReadFile(filepath.Join(t.Main.Dir, "build/build-image/cross/VERSION"), 1<<10)
	if err != nil {
		return fmt.Errorf("reading the tree's build image: %w", err)
	}
	goVersion, err := gotool.ReadFile(filepath.Join(t.Main.Dir, ".go-version"), 1<<10)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the tree's Go version: %w", err)
	}
	if t.Image, err = parseImage(string(cross), string(goVersion)); err != nil {
		return err
	}
	t.Toolchain, err = c.Tool.DownloadToolchain(ctx, t.Image.Go, c.Platform)
	return err
}

// Forget removes a version's tree, and from the module cache what only this
// version needs. It does nothing where somebody uses the tree.
func Forget(c Config, version string) error {
	lock, err := lockfile.TryAcquire(lockOf(c, version))
	if err != nil || lock == nil {
		return err
	}
	defer lock.Close()
	staged, err := stagingVersion(version)
	if err != nil {
		return err
	}
	err = errors.Join(atomic.RemoveAll(Dir(c.Dir, version)), c.Tool.RemoveModules(mainModule, version), c.Tool.RemoveModules("k8s.io/*", staged))
	if err != nil {
		return fmt.Errorf("removing the sources of %s: %w", version, err)
	}
	return nil
}

// stagingFile keeps, in the tree's folder, which staging modules are in it. It
// is the last file written.
const stagingFile = "staging.json"

// Source is the folder of the sources.
func (t *Tree) Source() string { return filepath.Join(t.Dir, "src") }

var errNoTree = errors.New("there is no tree yet")

func (t *Tree) read() error {
	data, err := os.ReadFile(filepath.Join(t.Dir, stagingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return errNoTree
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(data, &t.Staging)
}
