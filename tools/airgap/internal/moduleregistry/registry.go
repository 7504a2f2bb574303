// Package moduleregistry generates Bazel module registries whose modules are
// local directories. A registry has every module that a build depends on. A
// module without a directory becomes an empty module, because most dependencies
// are declared but never used.
package moduleregistry

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"

	"github.com/bazelbuild/buildtools/build"
)

// Module is a directory with a Bazel module.
type Module struct {
	Name string
	File string // path of its MODULE.bazel for this process
	Dir  string // path of its directory for Bazel

	// Bare removes register_toolchains calls from the module file, because the
	// toolchains are downloads and another module provides them.
	Bare bool

	// Extra are dependencies in addition to those of the module file.
	Extra []Dependency

	// Overridden excludes the module from the registry, since Bazel does not look
	// it up, but not its dependencies.
	Overridden bool
}

// Dependency is a bazel_dep.
type Dependency struct{ Name, Version string }

// Render returns the files of a registry by their slash-separated paths. The
// registry has all direct and transitive dependencies of the module files in
// roots. The first module of a name is used. Dependencies that are not among the
// modules become copies of the module "empty".
func Render(roots []string, modules []Module) (map[string][]byte, error) {
	known := map[string]Module{}
	for _, m := range slices.Backward(modules) {
		known[m.Name] = m
	}
	var queue []Dependency
	for _, name := range roots {
		f, err := Parse(name)
		if err != nil {
			return nil, err
		}
		queue = append(queue, dependencies(f)...)
	}
	files := map[string][]byte{"bazel_registry.json": []byte("{}\n")}
	for done := map[Dependency]bool{}; len(queue) > 0; queue = queue[1:] {
		d := queue[0]
		if done[d] {
			continue
		}
		done[d] = true
		m, ok := known[d.Name]
		if !ok {
			m = known["empty"]
			m.Name = d.Name
		}
		f, err := Parse(m.File)
		if err != nil {
			return nil, err
		}
		m.adapt(f, d.Version)
		queue = append(queue, dependencies(f)...)
		if m.Overridden {
			continue
		}
		source, err := json.Marshal(map[string]string{"type": "local_path", "path": m.Dir})
		if err != nil {
			return nil, fmt.Errorf("encoding the source of module %q: %w", d.Name, err)
		}
		dir := path.Join("modules", d.Name, d.Version)
		files[path.Join(dir, "MODULE.bazel")] = build.FormatWithoutRewriting(f)
		files[path.Join(dir, "source.json")] = append(source, '\n')
	}
	return files, nil
}

// Name returns the module name in the module file at path.
func Name(path string) (string, error) {
	f, err := Parse(path)
	if err != nil {
		return "", err
	}
	for _, r := range f.Rules("module") {
		if name := r.Name(); name != "" {
			return name, nil
		}
	}
	return "", fmt.Errorf("reading a module file: %q has no module name", path)
}

// Version returns the version of the dependency dep in the module file at path,
// or "" if it has none.
func Version(path, dep string) (string, error) {
	f, err := Parse(path)
	if err != nil {
		return "", err
	}
	for _, d := range dependencies(f) {
		if d.Name == dep {
			return d.Version, nil
		}
	}
	return "", nil
}

// Parse parses a module file.
func Parse(name string) (*build.File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading a module file: %w", err)
	}
	f, err := build.ParseModule(name, text)
	if err != nil {
		return nil, fmt.Errorf("parsing a module file: %w", err)
	}
	return f, nil
}

// dependencies returns the bazel_deps of f except development dependencies.
func dependencies(f *build.File) []Dependency {
	var all []Dependency
	for _, r := range f.Rules("bazel_dep") {
		if dev := r.Attr("dev_dependency"); dev != nil && build.FormatString(dev) != "False" {
			continue
		}
		all = append(all, Dependency{r.Name(), r.AttrString("version")})
	}
	return all
}

// adapt changes the module file f of m for a registry. The version must be the
// requested one, because Bazel verifies it.
func (m Module) adapt(f *build.File, version string) {
	if m.Bare {
		f.DelRules("register_toolchains", "")
	}
	for _, d := range m.Extra {
		r := build.NewRule(&build.CallExpr{X: &build.Ident{Name: "bazel_dep"}})
		r.SetAttr("name", &build.StringExpr{Value: d.Name})
		r.SetAttr("version", &build.StringExpr{Value: d.Version})
		f.Stmt = append(f.Stmt, r.Call)
	}
	if len(f.Rules("module")) == 0 {
		f.Stmt = append([]build.Expr{&build.CallExpr{X: &build.Ident{Name: "module"}}}, f.Stmt...)
	}
	r := f.Rules("module")[0]
	r.SetAttr("name", &build.StringExpr{Value: m.Name})
	r.SetAttr("version", &build.StringExpr{Value: version})
	// All versions are the same directory, so they are compatible.
	r.DelAttr("compatibility_level")
	r.DelAttr("bazel_compatibility")
}
