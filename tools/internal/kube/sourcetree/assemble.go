package sourcetree

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"golang.org/x/mod/modfile"
)

// assemble creates the tree in a temporary directory and renames it.
func (t *Tree) assemble(ctx context.Context, c Config) error {
	return atomic.CreateDir(t.Dir, func(tmp string) error {
		build := &Tree{Version: t.Version, Dir: tmp, Image: t.Image, Toolchain: t.Toolchain, Main: t.Main}
		err := build.write(ctx, c)
		t.Staging = build.Staging
		return err
	})
}

func (t *Tree) write(ctx context.Context, c Config) error {
	if err := os.CopyFS(t.Source(), os.DirFS(t.Main.Dir)); err != nil {
		return fmt.Errorf("copying the main module: %w", err)
	}
	gomod, err := t.dropModules()
	if err != nil {
		return err
	}
	if err := t.fetchStaging(ctx, c, staging(gomod)); err != nil {
		return err
	}
	if err := t.vendor(ctx, c); err != nil {
		return err
	}
	// The go command stamps binaries with version control information if it finds
	// a repository. A directory is mounted on _output, where the scripts write.
	for _, dir := range []string{".git", "_output"} {
		if err := os.Mkdir(filepath.Join(t.Source(), dir), 0o755); err != nil {
			return err
		}
	}
	list, err := json.Marshal(t.Staging)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.Dir, stagingFile), list, 0o644)
}

// dropModules removes the dropped modules from go.mod and go.work, and returns the
// former.
func (t *Tree) dropModules() (gomod *modfile.File, err error) {
	err = edit(filepath.Join(t.Source(), "go.mod"), func(name string, data []byte) (_ []byte, err error) {
		if gomod, err = modfile.Parse(name, data, nil); err != nil {
			return nil, fmt.Errorf("reading go.mod of the tree: %w", err)
		}
		return dropFromMod(gomod)
	})
	if err != nil {
		return nil, err
	}
	err = edit(filepath.Join(t.Source(), "go.work"), dropFromWork)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return gomod, err
}

// edit replaces the content of a file.
func edit(name string, change func(name string, data []byte) ([]byte, error)) error {
	data, err := gotool.ReadFile(name, gotool.MaxSource)
	if err != nil {
		return err
	}
	if data, err = change(name, data); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

func (t *Tree) fetchStaging(ctx context.Context, c Config, paths []string) error {
	version, err := stagingVersion(t.Version)
	if err != nil {
		return err
	}
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = p + "@" + version
	}
	task := c.Progress.Start("downloading the staging modules of "+t.Version, "modules", int64(len(names)))
	t.Staging, err = c.Tool.Download(ctx, names, func(m gotool.Module) { task.Detail(m.Path); task.Add(1) })
	if err != nil {
		task.Fail()
		return err
	}
	task.Done()
	for _, m := range t.Staging {
		dir := filepath.Join(t.Source(), filepath.FromSlash(stagingDir+m.Path))
		if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
			return fmt.Errorf("copying module %q: %w", m.Path, err)
		}
		err := edit(filepath.Join(dir, "go.mod"), func(name string, data []byte) ([]byte, error) {
			return restoreStaging(name, data, version, paths)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// vendor creates vendor/. The go command verifies each module against the go.sum
// of the main module, or else against the checksum database.
func (t *Tree) vendor(ctx context.Context, c Config) error {
	task := c.Progress.Start("vendoring the dependencies of "+t.Version, "modules", 0)
	settings, args := []string{"GOFLAGS=-modcacherw -mod=mod"}, []string{"mod", "vendor"}
	_, err := os.Stat(filepath.Join(t.Source(), "go.work"))
	workspace := err == nil
	if workspace {
		settings, args = []string{"GOFLAGS=-modcacherw", "GOWORK="}, []string{"work", "vendor"}
	}
	cmd := c.Tool.ToolchainCommand(ctx, t.Toolchain.Dir, t.Source(), settings, args...)
	err = gotool.Run(cmd, nil, func(stderr io.Reader, log func(string)) error {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if module, ok := strings.CutPrefix(lines.Text(), "go: downloading "); ok {
				task.Detail(module)
				task.Add(1)
			} else {
				log(lines.Text())
			}
		}
		return nil
	})
	if err != nil {
		task.Fail()
		return fmt.Errorf("vendoring: running %q: %w", strings.Join(cmd.Args[1:], " "), err)
	}
	task.Done()
	if workspace {
		return nil
	}
	return t.linkStaging()
}

// linkStaging replaces the copies of staging modules in vendor/ by symlinks. Trees
// without a workspace have such symlinks, through which binaries of staging
// modules are built that no package imports.
func (t *Tree) linkStaging() error {
	for _, m := range t.Staging {
		name := filepath.Join(t.Source(), "vendor", filepath.FromSlash(m.Path))
		if err := errors.Join(os.RemoveAll(name), os.MkdirAll(filepath.Dir(name), 0o755)); err != nil {
			return err
		}
		if err := os.Symlink("../../staging/src/"+m.Path, name); err != nil {
			return err
		}
	}
	return nil
}
