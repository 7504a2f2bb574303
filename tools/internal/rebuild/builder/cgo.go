package builder

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
)

// checkCgo compiles runtime/cgo, the smallest package with C, and checks that the
// object file does not contain the random name of the build directory. Go asks
// the C compiler once for the flags that remove it, and keeps the answers in the
// build cache. Wrong answers were seen once and changed the bytes of kubelet
// v1.34.3; the cause was not found. A cache with wrong answers is removed.
func (s *Step) checkCgo(ctx context.Context) error {
	if !slices.Contains(s.Build.Args, "-trimpath") {
		return nil // the name is in the binary in any case
	}
	for range 2 {
		object, err := s.compileRuntimeCgo(ctx)
		if err != nil {
			return fmt.Errorf("compiling runtime/cgo: %w", err)
		}
		if !buildDirPattern.Match(object) {
			return nil
		}
		s.progress.Logf("removing the build cache %s: its C objects contain the name of the build directory", s.cache)
		if err := atomic.RemoveAll(s.cache); err != nil {
			return fmt.Errorf("removing a build cache: %w", err)
		}
		if err := makeCache(s.cache); err != nil {
			return err
		}
	}
	return errors.New("compiling runtime/cgo: the object contains the random name of the build directory (/tmp/go-build…), even with an empty build cache")
}

// compileRuntimeCgo returns the compiled package.
func (s *Step) compileRuntimeCgo(ctx context.Context) ([]byte, error) {
	out, err := s.list(ctx, []string{"runtime/cgo"}, "-export", "-f", "{{.Export}}")
	if err != nil {
		return nil, err
	}
	name := strings.TrimSpace(string(out))
	dir, file := filepath.Split(name)
	return gotool.ReadFile(filepath.Join(s.cache, filepath.Base(dir), file), 64<<20)
}

// buildDirPattern matches the go command's build directory. The compiler replaces the
// name by one without a number if it supports the flags.
var buildDirPattern = regexp.MustCompile(`/go-build[0-9]+/`)

// NonDeterministic returns why a build has other bytes each time, or "". In some
// old versions, the compiler's -trimpath in -gcflags overrides the one that the go
// command passes. The binary then contains the random paths of files that cgo
// generates; see docs/rebuild.md. With go's own -trimpath, or with none, it does
// not.
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
