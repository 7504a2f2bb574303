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
	"path/filepath"
	"slices"

	"github.com/bazelbuild/buildtools/build"
)

// A Module names a module folder.
type Module struct {
	Name string
	Dir  string // absolute, with a MODULE.bazel
}

// Dependency is what one bazel_dep asks for.
type Dependency struct{ Name, Version string }

// File is a registry file: a path with slashes, and its content.
type Files map[string][]byte

// Render answers for everything that the module files in roots ask for,
// directly or through the modules provided. Overridden modules, which Bazel
// takes without asking a registry, are followed but not listed. Modules that
// stand for nothing are taken from the folder empty.
func Render(roots []string, provided, overridden []Module, empty string) (Files, error) {
	dirs := map[string]string{}
	listed := map[string]bool{}
	for _, m := range provided {
		dirs[m.Name], listed[m.Name] = m.Dir, true
	}
	for _, m := range overridden {
		dirs[m.Name], listed[m.Name] = m.Dir, false
	}
	files := Files{"bazel_registry.json": []byte("{}\n")}
	done := map[Dependency]bool{}
	var ask []Dependency
	for _, name := range roots {
		f, err := parse(name)
		if err != nil {
			return nil, err
		}
		ask = append(ask, dependencies(f)...)
	}
	for len(ask) > 0 {
		d := ask[0]
		ask = ask[1:]
		if done[d] {
			continue
		}
		done[d] = true
		dir, known := dirs[d.Name]
		module := &build.File{Type: build.TypeModule}
		if known {
			var err error
			if module, err = parse(filepath.Join(dir, "MODULE.bazel")); err != nil {
				return nil, err
			}
			ask = append(ask, dependencies(module)...)
			if !listed[d.Name] {
				continue
			}
		} else {
			dir = empty
		}
		setModule(module, d)
		source, err := json.Marshal(map[string]string{"type": "local_path", "path": dir})
		if err != nil {
			return nil, fmt.Errorf("describing module %q: %w", d.Name, err)
		}
		folder := path.Join("modules", d.Name, d.Version)
		files[path.Join(folder, "MODULE.bazel")] = build.FormatWithoutRewriting(module)
		files[path.Join(folder, "source.json")] = append(source, '\n')
	}
	return files, nil
}

// Paths lists the files in order.
func (f Files) Paths() []string { return slices.Sorted(maps.Keys(f)) }

func parse(name string) (*build.File, error) {
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

// setModule gives the module the very name and version that were asked for:
// Bazel holds a registry's module file to them.
func setModule(f *build.File, d Dependency) {
	rules := f.Rules("module")
	if len(rules) == 0 {
		call := &build.CallExpr{X: &build.Ident{Name: "module"}}
		f.Stmt = append([]build.Expr{call}, f.Stmt...)
		rules = []*build.Rule{build.NewRule(call)}
	}
	r := rules[0]
	r.SetAttr("name", &build.StringExpr{Value: d.Name})
	r.SetAttr("version", &build.StringExpr{Value: d.Version})
	// Versions of different levels refuse to meet; here they are one folder.
	r.DelAttr("compatibility_level")
	r.DelAttr("bazel_compatibility")
}
