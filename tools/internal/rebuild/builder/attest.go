package builder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/provenance"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// Attest completes the provenance statement of a binary with how it was built
// (command, environment, system, modules and packages) and encodes it.
func (s *Step) Attest(ctx context.Context, statement provenance.Statement) ([]byte, error) {
	pkg := s.Build.Package(statement.Binary)
	modules, err := s.modules(ctx, pkg)
	if err != nil {
		return nil, fmt.Errorf("listing the modules of %s: %w", statement.Binary, err)
	}
	statement.Version = s.tree.Version
	statement.Command = append([]string{"go"}, s.Build.WithPackages(pkg).Args...)
	statement.Environment = s.Build.Settings()
	statement.System = s.env.Sandbox.Name()
	statement.Modules = modules
	if root, ok := s.env.Sandbox.(*debian.Root); ok {
		statement.System = s.tree.Image.Suite
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

// modules lists the modules whose packages are in a binary, with the main module
// and the toolchain.
func (s *Step) modules(ctx context.Context, pkg string) ([]gotool.Module, error) {
	out, err := s.list(ctx, []string{pkg}, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{with .Module}}{{.Path}} {{.Version}}{{end}}{{end}}")
	if err != nil {
		return nil, err
	}
	sums, err := readSums(s.tree)
	if err != nil {
		return nil, err
	}
	modules := []gotool.Module{s.tree.Main, s.tree.Toolchain}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], s.tree.Main.Path+"/") {
			continue
		}
		m, err := findModule(s.tree.Staging, sums, fields[0], fields[1:])
		if err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// findModule returns the module of a package. The go command lists path and
// version of the module of a vendored package, but not of one below staging/.
func findModule(staging []gotool.Module, sums map[string]string, pkg string, listed []string) (gotool.Module, error) {
	for _, m := range staging {
		if pkg == m.Path || strings.HasPrefix(pkg, m.Path+"/") {
			return m, nil
		}
	}
	if len(listed) == 2 {
		if sum := sums[listed[0]+" "+listed[1]]; sum != "" {
			return gotool.Module{Path: listed[0], Version: listed[1], Sum: sum}, nil
		}
	}
	return gotool.Module{}, fmt.Errorf("package %q: no sum of its module %q in the source tree", pkg, listed)
}

// readSums returns the module sums in all go.sum files of a tree. The go command
// has verified them when it vendored the modules.
func readSums(tree *sourcetree.Tree) (map[string]string, error) {
	names := []string{"go.sum", "go.work.sum"}
	for _, m := range tree.Staging {
		names = append(names, "staging/src/"+m.Path+"/go.sum")
	}
	all := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(tree.Source(), filepath.FromSlash(name)))
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
		maps.Copy(all, sums)
	}
	return all, nil
}
