package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/provenance"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// prove makes the statement of a match.
func (r *rebuilder) prove(ctx context.Context, v *opened, s *step, g group, j job) ([]byte, error) {
	modules, err := modulesOf(ctx, v, s, packageOf(s.build, j.binary))
	if err != nil {
		return nil, fmt.Errorf("listing the modules of %s: %w", j, err)
	}
	statement := provenance.Statement{
		Binary: j.binary, Version: v.tree.Version, Platform: j.platform.String(), SHA256: j.want.String(),
		Phase: g.phase, Commit: v.release.Commit,
		CommitTime:  v.release.CommitTime.Date.Format(redate.Layout),
		BuildDate:   v.release.Phases[g.phase].Date.Format(redate.Layout),
		Command:     append([]string{"go"}, s.build.Args[:len(s.build.Args)-len(s.build.Packages())]...),
		Environment: settings(s.build.Env),
		System:      "host",
		Modules:     modules,
	}
	statement.Command = append(statement.Command, packageOf(s.build, j.binary))
	if root, ok := s.site.Room.(*debian.Root); ok {
		statement.System = v.tree.Image.Suite
		packages, err := root.Packages()
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			statement.Packages = append(statement.Packages, provenance.Package(p))
		}
	}
	return statement.Marshal()
}

// settings are the variables of a build that the go command and the compilers
// look at, but for how many of them run at once.
func settings(env []string) []string {
	var all []string
	for _, e := range env {
		key, _, _ := strings.Cut(e, "=")
		switch {
		case key == "GOMAXPROCS", key == "GOCACHE": // no matter for the result
		case strings.HasPrefix(key, "GO"), strings.HasPrefix(key, "CGO_"), key == "CC", key == "LC_ALL", key == "TZ":
			all = append(all, e)
		}
	}
	return all
}

// modulesOf lists the modules whose packages are in a program, with the main
// module and the toolchain.
func modulesOf(ctx context.Context, v *opened, s *step, pkg string) ([]provenance.Module, error) {
	out, err := s.list(ctx, []string{pkg}, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{with .Module}}{{.Path}} {{.Version}}{{end}}{{end}}")
	if err != nil {
		return nil, err
	}
	sums, err := treeSums(v)
	if err != nil {
		return nil, err
	}
	modules := []provenance.Module{
		{Path: v.tree.Main.Path, Version: v.tree.Main.Version, Sum: v.tree.Main.Sum},
		{Path: v.tree.Toolchain.Path, Version: v.tree.Toolchain.Version, Sum: v.tree.Toolchain.Sum},
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], v.tree.Main.Path+"/") {
			continue
		}
		m, err := moduleOf(v.tree.Staging, sums, f)
		if err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// moduleOf names the module of a package, given its path and, where go knows
// them, its module's path and version.
func moduleOf(staging []gotool.Module, sums map[string]string, f []string) (provenance.Module, error) {
	for _, m := range staging {
		if f[0] == m.Path || strings.HasPrefix(f[0], m.Path+"/") {
			return provenance.Module{Path: m.Path, Version: m.Version, Sum: m.Sum}, nil
		}
	}
	if len(f) == 3 {
		if sum := sums[f[1]+" "+f[2]]; sum != "" {
			return provenance.Module{Path: f[1], Version: f[2], Sum: sum}, nil
		}
	}
	return provenance.Module{}, fmt.Errorf("package %q: its module %q has no sum in the tree", f[0], f[1:])
}

// treeSums are all sums that the tree's own files name; go checked every
// module against them when it was vendored.
func treeSums(v *opened) (map[string]string, error) {
	names := []string{"go.sum", "go.work.sum"}
	for _, m := range v.tree.Staging {
		names = append(names, "staging/src/"+m.Path+"/go.sum")
	}
	all := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(v.tree.Source(), filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sums, err := gotool.ParseGoSum(name, data)
		if err != nil {
			return nil, err
		}
		for key, sum := range sums {
			all[key] = sum
		}
	}
	return all, nil
}
