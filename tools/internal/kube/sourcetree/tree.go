// Package sourcetree assembles the source tree of a Kubernetes version, as
// upstream built it, from published Go modules. The module k8s.io/kubernetes has
// the tree without staging/ and vendor/. The modules below staging/ are published
// one by one, and vendor/ is derived from all go.mod files.
package sourcetree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Config has the settings of all trees.
type Config struct {
	Dir      string // directory of the trees
	Tool     *gotool.Tool
	Progress *progress.Reporter
	Platform string // platform of toolchains: "linux/amd64"
}

// Tree is the source tree of a version, ready to be built without a network. It
// is not removed before it is closed.
type Tree struct {
	Version   string
	Dir       string
	Image     Image
	Toolchain gotool.Module
	Main      gotool.Module
	Staging   []gotool.Module // by path

	lock *os.File // shared
}

// Close releases the tree.
func (t *Tree) Close() error { return t.lock.Close() }

// layout is part of the name of a tree's directory. Increment it when the contents
// of trees change.
const layout = "1"

// Dir returns the directory of a version's tree.
func Dir(parent, version string) string { return filepath.Join(parent, version+"-"+layout) }

// Ensure returns the tree of a version and creates it if it does not exist.
// Concurrent and killed processes are safe.
func Ensure(ctx context.Context, c Config, version string) (*Tree, error) {
	t := &Tree{Version: version, Dir: Dir(c.Dir, version)}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("creating the directory of source trees: %w", err)
	}
	for {
		err := t.open(ctx, c)
		if err == nil {
			return t, nil
		}
		if errors.Is(err, errNoTree) {
			err = t.create(ctx, c)
		}
		if err != nil {
			return nil, fmt.Errorf("preparing the sources of %s: %w", version, err)
		}
	}
}

// open opens a tree that exists.
func (t *Tree) open(ctx context.Context, c Config) (err error) {
	if t.lock, err = t.acquire(ctx, c, lockfile.AcquireShared); err != nil {
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

// create creates a tree that does not exist.
func (t *Tree) create(ctx context.Context, c Config) error {
	lock, err := t.acquire(ctx, c, lockfile.Acquire)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := t.read(); !errors.Is(err, errNoTree) {
		return err // nil: another process has created it
	}
	if err := t.fetchMain(ctx, c); err != nil {
		return err
	}
	return t.assemble(ctx, c)
}

func (t *Tree) acquire(ctx context.Context, c Config, lock lockFunc) (*os.File, error) {
	return waitFor(ctx, lock, lockPath(c, t.Version), c.Progress, "another process that prepares the sources of "+t.Version)
}

func lockPath(c Config, version string) string { return filepath.Join(c.Dir, version+".lock") }

// fetchMain downloads the main module and the toolchain that it names, unless
// both are in the module cache.
func (t *Tree) fetchMain(ctx context.Context, c Config) error {
	modules, err := c.Tool.Download(ctx, []string{mainModule + "@" + t.Version}, nil)
	if err != nil {
		return err
	}
	t.Main = modules[0]
	cross, err := gotool.ReadFile(filepath.Join(t.Main.Dir, "build/build-image/cross/VERSION"), 1<<10)
	if err != nil {
		return fmt.Errorf("reading the build image of the tree: %w", err)
	}
	goVersion, err := gotool.ReadFile(filepath.Join(t.Main.Dir, ".go-version"), 1<<10)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the Go version of the tree: %w", err)
	}
	if t.Image, err = parseImage(string(cross), string(goVersion)); err != nil {
		return err
	}
	t.Toolchain, err = c.Tool.DownloadToolchain(ctx, t.Image.Go, c.Platform)
	return err
}

// Remove removes the tree of a version, and the modules that only this version
// needs from the module cache. It does nothing while a process uses the tree.
func Remove(c Config, version string) error {
	lock, err := lockfile.TryAcquire(lockPath(c, version))
	if err != nil || lock == nil {
		return err
	}
	defer lock.Close()
	stagingVersion, err := stagingVersion(version)
	if err != nil {
		return err
	}
	err = errors.Join(atomic.RemoveAll(Dir(c.Dir, version)), c.Tool.RemoveModules(mainModule, version), c.Tool.RemoveModules("k8s.io/*", stagingVersion))
	if err != nil {
		return fmt.Errorf("removing the sources of %s: %w", version, err)
	}
	return nil
}

// stagingFile lists the staging modules of a tree. It is written last, so a tree
// without it is incomplete.
const stagingFile = "staging.json"

// Source returns the directory of the sources.
func (t *Tree) Source() string { return filepath.Join(t.Dir, "src") }

var errNoTree = errors.New("no tree")

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

// Image is the image in which upstream builds the binaries of a version.
type Image struct {
	Go    string // "1.26.2"
	Suite string // Debian release: "bullseye"
}

var crossVersion = regexp.MustCompile(`^v[0-9.]+-go([0-9]+(?:\.[0-9]+)+)-([a-z]+)\.[0-9]+$`)

// parseImage parses build/build-image/cross/VERSION
// ("v1.36.0-go1.26.2-bullseye.0") and .go-version, which is "" in older trees.
func parseImage(cross, goVersion string) (Image, error) {
	cross, goVersion = strings.TrimSpace(cross), strings.TrimSpace(goVersion)
	m := crossVersion.FindStringSubmatch(cross)
	if m == nil {
		return Image{}, fmt.Errorf("reading the build image of the tree: want a version like v1.36.0-go1.26.2-bullseye.0, got %q", cross)
	}
	if goVersion != "" && goVersion != m[1] {
		return Image{}, fmt.Errorf("reading the build image of the tree: %q and .go-version %q have different toolchains", cross, goVersion)
	}
	return Image{Go: m[1], Suite: m[2]}, nil
}
