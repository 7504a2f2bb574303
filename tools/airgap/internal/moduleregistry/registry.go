// Package moduleregistry writes Bazel module registries that hold nothing but
// folders of this machine. A registry answers for every module that a build
// can come to ask for; one that nobody provides is an empty module, because
// most of them are only named and never used.
package moduleregistry

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/bazelbuild/buildtools/build"
)

// A Module is a module's folder.
type Module struct {
	Name string
	File string // its MODULE.bazel, where this process finds it
	Dir  string // its folder, where Bazel will find it

	// Bare leaves out the toolchains that the module registers: they are
	// downloads, and another module has them from elsewhere.
	Bare bool

	// Extra is asked for beside what the module asks for itself.
	Extra []Dependency
}

// Dependency is what one bazel_dep asks for.
type Dependency struct{ Name, Version string }

// Files are a registry: the content of each path, which has slashes.
type Files map[string][]byte

// Render answers for everything that the module files in roots ask for,
// directly or through the modules provided. Overridden modules, which Bazel
// takes without asking a registry, are followed but not listed. Of several
// folders for one name the first counts, an overridden one before all. What nobody
// provides is the module empty by another name.
func Render(roots []string, provided, overridden []Module, empty Module) (Files, error) {
	known := map[string]Module{}
	for _, m := range slices.Concat(overridden, provided) {
		if _, ok := known[m.Name]; !ok {
			known[m.Name] = m
		}
	}
	unlisted := map[string]bool{}
	for _, m := range overridden {
		unlisted[m.Name] = true
	}
	var ask []Dependency
	for _, name := range roots {
		f, err := Parse(name)
		if err != nil {
			return nil, err
		}
		ask = append(ask, dependencies(f)...)
	}
	files := Files{"bazel_registry.json": []byte("{}\n")}
	for done := map[Dependency]bool{}; len(ask) > 0; ask = ask[1:] {
		d := ask[0]
		if done[d] {
			continue
		}
		done[d] = true
		m, ok := known[d.Name]
		if !ok {
			m = Module{Name: d.Name, File: empty.File, Dir: empty.Dir}
		}
		f, err := Parse(m.File)
		if err != nil {
			return nil, err
		}
		m.adapt(f, d.Version)
		ask = append(ask, dependencies(f)...)
		if unlisted[d.Name] {
			continue
		}
		source, err := json.Marshal(map[string]string{"type": "local_path", "path": m.Dir})
		if err != nil {
			return nil, fmt.Errorf("describing module %q: %w", d.Name, err)
		}
		folder := path.Join("modules", d.Name, d.Version)
		files[path.Join(folder, "MODULE.bazel")] = build.FormatWithoutRewriting(f)
		files[path.Join(folder, "source.json")] = append(source, '\n')
	}
	return files, nil
}

// Paths lists the files in order.
func (f Files) Paths() []string { return slices.Sorted(maps.Keys(f)) }

// Name is the name that the module file at path gives its module.
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
	return "", fmt.Errorf("reading a module file: %q names no module", path)
}

// Version is the version of the module dep that the module file at path asks
// for, or nothing.
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

// Parse reads a module file.
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

// dependencies are the bazel_deps of f that count for whoever depends on it.
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

// adapt makes f the module file of m at the very version that was asked for:
// Bazel holds a registry to it.
func (m Module) adapt(f *build.File, version string) {
	if m.Bare {
		f.DelRules("register_toolchains", "")
	}
	for _, d := range m.Extra {
		f.Stmt = append(f.Stmt, call("bazel_dep", d))
	}
	if len(f.Rules("module")) == 0 {
		f.Stmt = append([]build.Expr{call("module", Dependency{})}, f.Stmt...)
	}
	r := f.Rules("module")[0]
	r.SetAttr("name", &build.StringExpr{Value: m.Name})
	r.SetAttr("version", &build.StringExpr{Value: version})
	// Versions of different levels refuse to meet; here they are one folder.
	r.DelAttr("compatibility_level")
	r.DelAttr("bazel_compatibility")
}

func call(name string, d Dependency) *build.CallExpr {
	r := build.NewRule(&build.CallExpr{X: &build.Ident{Name: name}})
	r.SetAttr("name", &build.StringExpr{Value: d.Name})
	r.SetAttr("version", &build.StringExpr{Value: d.Version})
	return r.Call
}
