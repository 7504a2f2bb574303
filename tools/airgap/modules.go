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

// goModule is a Bazel module that consists of Go modules.
type goModule struct {
	name    string // of the Bazel module
	version string // of the Bazel module, as in MODULE.bazel
	parts   []part
}

// part is one Go module and its directory in the Bazel module.
type part struct{ dir, path, version, sum string }

// goModules lists the Bazel modules that come from the Go module proxy. Module
// zips do not include nested Go modules, so gazelle consists of two.
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

// check compares the pinned version with the one in MODULE.bazel.
func (m goModule) check(moduleFile string) error {
	want, err := moduleregistry.Version(moduleFile, m.name)
	if err == nil && want != m.version {
		err = fmt.Errorf("checking the Bazel module %s: MODULE.bazel requires version %q, tools/airgap/modules.go pins %q; "+
			"use the same version in both, with the checksums of its Go modules", m.name, want, m.version)
	}
	return err
}

// moduleDir returns the directory of the module. Its name contains a hash of
// everything that determines the content.
func (c config) moduleDir(m goModule) string {
	sum := sha256.Sum256(fmt.Append(nil, layout, m.parts))
	return c.path("modules", fmt.Sprintf("%s-%s-%x", m.name, m.version, sum[:4]))
}

// layout is part of the hash of a module. Increment it when modules are
// assembled differently.
const layout = 1

// fetchModules fetches every Go module that the profile needs.
func (c config) fetchModules(ctx context.Context, sdk goSDK) error {
	for _, m := range goModules() {
		if err := m.check(c.moduleFile()); err != nil {
			return err
		}
		err := c.ensureDir(ctx, c.moduleDir(m), func(dir string) error {
			fmt.Fprintf(c.log, "fetching the Bazel module %s %s from the Go module proxy\n", m.name, m.version)
			for _, p := range m.parts {
				if err := p.fetch(ctx, sdk, dir); err != nil {
					return fmt.Errorf("fetching the Bazel module %s: %w", m.name, err)
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

// fetch copies the part into the module directory dir.
func (p part) fetch(ctx context.Context, sdk goSDK, dir string) error {
	cmd := sdk.command(ctx, dir, "mod", "download", "-json", p.path+"@"+p.version)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var got struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &got); err == nil {
		err = jsonErr
	}
	if err != nil {
		return fmt.Errorf("running %q: %w: %s%s", strings.Join(cmd.Args, " "), err, got.Error, bytes.TrimSpace(stderr.Bytes()))
	}
	sum, err := dirhash.HashDir(got.Dir, p.path+"@"+p.version, dirhash.Hash1)
	if err != nil {
		return fmt.Errorf("hashing %q: %w", got.Dir, err)
	}
	if sum != p.sum {
		return fmt.Errorf("verifying %s@%s in %q: got checksum %s, want %s; run `go clean -modcache` and check the Go module proxy",
			p.path, p.version, got.Dir, sum, p.sum)
	}
	to := filepath.Join(dir, p.dir)
	if err := os.CopyFS(to, os.DirFS(got.Dir)); err != nil {
		return fmt.Errorf("copying %q: %w", got.Dir, err)
	}
	return setModes(to)
}

// setModes makes scripts executable and files writable. Module zips have no
// executable bits, and the module cache is read-only.
func setModes(dir string) error {
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
