package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/airgap/internal/moduleregistry"
	"golang.org/x/mod/sumdb/dirhash"
)

// A goModule is a Go module that is a Bazel module, too, or a folder of one.
type goModule struct {
	name    string // the Bazel module
	version string // of the Bazel module, as MODULE.bazel asks for it
	parts   []part
}

// part is one Go module, and where in the Bazel module it lies.
type part struct{ dir, path, version, sum string }

// goModules pins what the profile takes from the Go module proxy. A zip of the
// proxy leaves nested Go modules out, so gazelle is put together from two.
func goModules() []goModule {
	return []goModule{
		{"rules_go", "0.62.0", []part{
			{"", "github.com/bazelbuild/rules_go", "v0.62.0", "h1:FpVmU5mfoqSiY6dLquUAtldkcKOMLrmNaWrSnXuGPF4="},
		}},
		{"gazelle", "0.51.3", []part{
			{"", "github.com/bazelbuild/bazel-gazelle", "v0.51.3", "h1:WtLCDPJTj06AWZizuN0SpkX8njjH1meOFgYbia6mD64="},
			{"v2", "github.com/bazel-contrib/bazel-gazelle/v2", "v2.0.0-2", "h1:lSINS7DK4xjm0Z4CBd7onO63uIe6WUsEZ/0voExa+JY="},
		}},
	}
}

// check holds the pins to what the repository asks for.
func (m goModule) check(moduleFile string) error {
	asked, err := moduleregistry.Version(moduleFile, m.name)
	if err == nil && asked != m.version {
		err = fmt.Errorf("finding the Bazel module %s: MODULE.bazel asks for version %q, tools/airgap/modules.go pins %q; "+
			"bring both to one version, with the sums of its Go modules", m.name, asked, m.version)
	}
	return err
}

// moduleDir is where the module lies once it is whole: another place for every
// way of making it.
func (c config) moduleDir(m goModule) string {
	made := sha256.Sum256(fmt.Append(nil, layout, m.parts))
	return c.path("modules", fmt.Sprintf("%s-%s-%x", m.name, m.version, made[:4]))
}

// layout is part of what makes a module: raise it when they come to be put
// together in another way.
const layout = 1

// fetchModules brings every Go module that the profile needs.
func (c config) fetchModules(ctx context.Context, sdk goSDK) error {
	for _, m := range goModules() {
		if err := m.check(c.moduleFile()); err != nil {
			return err
		}
		err := c.once(ctx, c.moduleDir(m), func(dir string) error {
			fmt.Fprintf(c.log, "getting the Bazel module %s %s through the Go module proxy\n", m.name, m.version)
			for _, p := range m.parts {
				if err := p.fetch(ctx, sdk, dir); err != nil {
					return fmt.Errorf("getting the Bazel module %s: %w", m.name, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fetch puts the part into the module folder dir.
func (p part) fetch(ctx context.Context, sdk goSDK, dir string) error {
	cmd := sdk.command(ctx, dir, "mod", "download", "-json", p.path+"@"+p.version)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	var got struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &got); err == nil {
		err = jsonErr
	}
	if err != nil {
		return fmt.Errorf("running %q: %w: %s%s", strings.Join(cmd.Args, " "), err, got.Error, bytes.TrimSpace(said.Bytes()))
	}
	sum, err := dirhash.HashDir(got.Dir, p.path+"@"+p.version, dirhash.Hash1)
	if err != nil {
		return fmt.Errorf("hashing %q: %w", got.Dir, err)
	}
	if sum != p.sum {
		return fmt.Errorf("checking %s@%s in %q: got %s, want %s; remove it with `go clean -modcache` and look at where the proxy has it from",
			p.path, p.version, got.Dir, sum, p.sum)
	}
	to := filepath.Join(dir, p.dir)
	if err := os.CopyFS(to, os.DirFS(got.Dir)); err != nil {
		return fmt.Errorf("copying %q: %w", got.Dir, err)
	}
	return makeScriptsRun(to)
}

// makeScriptsRun gives scripts the run bit, which module zips do not carry, and
// everything the write bit, which the module cache takes.
func makeScriptsRun(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() || strings.HasSuffix(path, ".sh") {
			mode = 0o755
		}
		return os.Chmod(path, mode)
	})
}
