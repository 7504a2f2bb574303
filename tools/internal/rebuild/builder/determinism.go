package builder

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
)

// NonDeterministic returns why a build has other bytes each time, or "". Until
// late patches of 1.28 and 1.29 (v1.29.1 is affected, v1.28.15 is not), upstream
// trimmed paths with the compiler's -trimpath in -gcflags, which overrides the
// one that the go command passes. The binary then contains paths of files that
// cgo generates, such as /tmp/go-build1992812527/b061/_cgo_gotypes.go, with a
// random number. Two builds that differ in nothing else were seen to differ by it
// with Go 1.19.4 and 1.21.6. With go's own -trimpath, or with none, they agree.
func (w *Workspace) NonDeterministic(ctx context.Context, b buildplan.Build) (string, error) {
	if b.Static() || !overridesTrimpath(b.Args) {
		return "", nil
	}
	step, err := w.newStep(w.Env, b) // the host can list packages, too
	if err != nil {
		return "", err
	}
	out, err := step.list(ctx, b.Packages(), "-deps", "-f", "{{if .CgoFiles}}{{.ImportPath}}{{end}}")
	if err != nil {
		return "", fmt.Errorf("listing packages that use cgo: %w", err)
	}
	packages := strings.Fields(string(out))
	if len(packages) == 0 {
		return "", nil
	}
	return fmt.Sprintf("not reproducible: upstream built it with cgo and without -trimpath (packages %s), "+
		"so it contains the random name of its build directory (/tmp/go-build…)", strings.Join(packages, ", ")), nil
}

// overridesTrimpath reports whether flags trim paths in the compiler, but not in
// the go command.
func overridesTrimpath(args []string) bool {
	return !slices.Contains(args, "-trimpath") && slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(a, "-gcflags=") && strings.Contains(a, "-trimpath=")
	})
}

// Smallest returns the build of the one binary that has the fewest packages.
func (w *Workspace) Smallest(ctx context.Context, builds []buildplan.Build) (buildplan.Build, error) {
	var best buildplan.Build
	var fewest int64
	for _, b := range builds {
		for _, pkg := range b.Packages() {
			one := b.WithPackages(pkg)
			step, err := w.newStep(w.Env, one)
			if err != nil {
				return best, err
			}
			n, err := step.countPackages(ctx)
			if err != nil {
				return best, err
			}
			if fewest == 0 || n < fewest {
				best, fewest = one, n
			}
		}
	}
	return best, nil
}
