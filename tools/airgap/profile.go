package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/airgap/internal/moduleregistry"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// profile writes the local registry and the options that name it, and returns
// the path of the latter. Both lie under the hash of what they hold, because a
// Bazel server takes a registry never to change.
func (c config) profile(ctx context.Context, root *debian.Root, sdk goSDK) (string, error) {
	debian, err := debianOptions(root)
	if err != nil {
		return "", err
	}
	provided, err := c.provided(root)
	if err != nil {
		return "", err
	}
	files, err := moduleregistry.Render(
		[]string{c.moduleFile(), filepath.Join(root.Dir(), "usr/share/bazel/embedded_tools/MODULE.bazel")},
		provided, overridden(root, debian), c.standIn("empty"),
	)
	if err != nil {
		return "", err
	}
	registry, err := c.write(ctx, "registry", files)
	if err != nil {
		return "", err
	}
	rc, err := c.write(ctx, "rc", moduleregistry.Files{"bazelrc": []byte(c.options(debian, registry, sdk))})
	return filepath.Join(rc, "bazelrc"), err
}

// debianRC is the .bazelrc of Debian's Bazel.
const debianRC = "/etc/bazel/bazelrc"

// debianOptions are the lines of the .bazelrc that comes with Debian's Bazel
// and says where its parts and modules are. Two are left out: one is deprecated
// and says so every time, the other keeps every sandbox.
func debianOptions(root *debian.Root) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root.Dir(), debianRC))
	if err != nil {
		return nil, fmt.Errorf("reading the options of Debian's Bazel: %w", err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		command, option, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, _, _ := strings.Cut(option, "=")
		if (command == "startup" || command == "common" || command == "build") && name != "--host_javabase" && name != "--sandbox_debug" {
			lines = append(lines, command+" "+option)
		}
	}
	return lines, nil
}

// overridden are the modules that Debian's options take from Debian's folders,
// whatever a registry says.
func overridden(root *debian.Root, options []string) []moduleregistry.Module {
	var all []moduleregistry.Module
	for _, line := range options {
		_, module, ok := strings.Cut(line, "--override_module=")
		name, dir, ok2 := strings.Cut(module, "=")
		if ok && ok2 {
			all = append(all, moduleregistry.Module{Name: name, File: filepath.Join(root.Dir(), dir, "MODULE.bazel"), Dir: dir})
		}
	}
	return all
}

// options are the lines of .bazelrc that depend on this machine.
func (c config) options(debian []string, registry string, sdk goSDK) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Written by tools/airgap.")
	for _, l := range debian {
		line("%s", l)
	}
	line("common --config=airgap")
	line("common --registry=%s", word("file://"+registry))
	line("common --experimental_downloader_config=%s", word(filepath.Join(c.workspace, "airgap", "downloader.cfg")))
	line("common --repo_env=HYPERKUBE_CACHE=%s", word(c.cache))
	line("common --repo_env=HYPERKUBE_STORE=%s", word(c.store))
	line("common --repo_env=HYPERKUBE_REBUILD=1")
	line("common --repo_env=GOROOT=%s", goRoot)
	line("common --repo_env=GOTOOLCHAIN=local")
	for _, key := range slices.Sorted(maps.Keys(sdk.env)) {
		if sdk.env[key] != "" {
			line("common --repo_env=%s=%s", key, word(sdk.env[key]))
		}
	}
	if c.upstream != "" {
		line("common --repo_env=HYPERKUBE_OCI_PROGRAMS=%s", word(c.programsDir()))
		// A sandbox has a /tmp of its own, where the modules may be.
		line("build --sandbox_add_mount_pair=%s", word(c.upstream))
	}
	return b.String()
}

// word is a value as Bazel's options have to be written for it to read s.
func word(s string) string {
	if !strings.ContainsAny(s, " \t#\\'\"") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// provided are the modules that the registry offers. The first of a name wins:
// what the site has carried in, then what stands in for it, then Go modules,
// then Debian's.
func (c config) provided(root *debian.Root) ([]moduleregistry.Module, error) {
	var all []moduleregistry.Module
	if c.upstream != "" {
		found, err := modulesIn(c.upstream, c.upstream)
		if err != nil {
			return nil, err
		}
		real := false
		for _, m := range found {
			m.Bare = true
			if m.Name == "rules_oci" {
				real = true
				m.Extra = []moduleregistry.Dependency{{Name: "oci_tools", Version: "0"}}
			}
			all = append(all, m)
		}
		if !real {
			return nil, fmt.Errorf("finding upstream modules: HYPERKUBE_BAZEL_MODULES=%q has no folder with the module rules_oci", c.upstream)
		}
	}
	standIns, err := modulesIn(filepath.Join(c.workspace, "airgap/modules"), filepath.Join(c.workspace, "airgap/modules"))
	if err != nil {
		return nil, err
	}
	all = append(all, standIns...)
	for _, m := range goModules() {
		all = append(all, moduleregistry.Module{Name: m.name, File: filepath.Join(c.moduleDir(m), "MODULE.bazel"), Dir: c.moduleDir(m)})
	}
	for _, folder := range []string{"/usr/share/bazel/rules", "/usr/share/bazel/tools"} {
		debian, err := modulesIn(filepath.Join(root.Dir(), folder), folder)
		if err != nil {
			return nil, err
		}
		all = append(all, debian...)
	}
	return all, nil
}

// modulesIn lists the modules in the folders of dir, which Bazel will find in
// seen.
func modulesIn(dir, seen string) ([]moduleregistry.Module, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "MODULE.bazel"))
	if err != nil {
		return nil, fmt.Errorf("listing modules in %q: %w", dir, err)
	}
	var all []moduleregistry.Module
	for _, path := range paths {
		name, err := moduleregistry.Name(path)
		if err != nil {
			return nil, err
		}
		all = append(all, moduleregistry.Module{Name: name, File: path, Dir: filepath.Join(seen, filepath.Base(filepath.Dir(path)))})
	}
	return all, nil
}

// standIn is one of the modules of this repository.
func (c config) standIn(name string) moduleregistry.Module {
	dir := filepath.Join(c.workspace, "airgap/modules", name)
	return moduleregistry.Module{Name: name, File: filepath.Join(dir, "MODULE.bazel"), Dir: dir}
}

// write puts files into a folder named by their hash.
func (c config) write(ctx context.Context, kind string, files moduleregistry.Files) (string, error) {
	sum := sha256.New()
	for _, path := range files.Paths() {
		fmt.Fprintf(sum, "%s %d\n%s", path, len(files[path]), files[path])
	}
	to := c.path(kind, hex.EncodeToString(sum.Sum(nil)[:8]))
	return to, c.once(ctx, to, func(dir string) error {
		for _, path := range files.Paths() {
			name := filepath.Join(dir, filepath.FromSlash(path))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return fmt.Errorf("writing the %s: %w", kind, err)
			}
			if err := os.WriteFile(name, files[path], 0o644); err != nil {
				return fmt.Errorf("writing the %s: %w", kind, err)
			}
		}
		return nil
	})
}
