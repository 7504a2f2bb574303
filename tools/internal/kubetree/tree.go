// Package kubetree puts a Kubernetes version's source tree together as it was
// when upstream built it, from published Go modules alone. The module
// k8s.io/kubernetes has the tree without staging/ and vendor/; what lies below
// staging/ is published module by module, and vendor/ follows from both.
package kubetree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/filelock"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Config says where trees are kept and who fetches.
type Config struct {
	Dir      string
	Tool     *gotool.Tool
	Report   *progress.Reporter
	Platform string // of this machine, for toolchains: "linux/amd64"
}

// Tree is a version's source, ready to be built without a network.
type Tree struct {
	Version   string
	Dir       string // the root of the sources
	Image     Image
	Toolchain gotool.Module
	Main      gotool.Module
	Staging   []gotool.Module // by path
}

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
	var waiting *progress.Task
	lock, err := filelock.Acquire(ctx, filepath.Join(c.Dir, version+".lock"), func() {
		waiting = c.Report.Start("waiting for another process that prepares the sources of "+version, "", 0)
	})
	if waiting != nil {
		waiting.Done()
	}
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := t.fetchMain(ctx, c); err != nil {
		return nil, fmt.Errorf("preparing the sources of %s: %w", version, err)
	}
	err = t.read()
	if errors.Is(err, fs.ErrNotExist) {
		err = t.assemble(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("preparing the sources of %s: %w", version, err)
	}
	return t, nil
}

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
	t.Toolchain, err = c.Tool.Toolchain(ctx, t.Image.Go, c.Platform)
	return err
}

// Forget removes a version's tree, and from the module cache what only this
// version needs.
func Forget(ctx context.Context, c Config, version string) error {
	lock, err := filelock.Acquire(ctx, filepath.Join(c.Dir, version+".lock"), nil)
	if err != nil {
		return err
	}
	defer lock.Close()
	staged, err := stagingVersion(version)
	if err != nil {
		return err
	}
	// In one step, so that never a part of a tree passes for one.
	tree, old := Dir(c.Dir, version), Dir(c.Dir, version)+".old"
	if err := os.RemoveAll(old); err != nil {
		return fmt.Errorf("removing the sources of %s: %w", version, err)
	}
	if err := os.Rename(tree, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the sources of %s: %w", version, err)
	}
	err = errors.Join(os.RemoveAll(old), c.Tool.Forget(mainModule, version), c.Tool.Forget("k8s.io/*", staged))
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

func (t *Tree) read() error {
	data, err := os.ReadFile(filepath.Join(t.Dir, stagingFile))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, &t.Staging)
}
