package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
)

// unrepeatable says why a build gives other bytes every time, or "". Up to late
// patches of 1.28 and 1.29 upstream trimmed paths with a flag of the compiler's, which overrides
// go's own: the path of what cgo writes, in a folder of a random name, stays
// in the program.
func (r *rebuilder) unrepeatable(ctx context.Context, v *opened, b buildplan.Build) (string, error) {
	if b.Static() || !overridesTrimming(b.Args) {
		return "", nil
	}
	step, err := r.newStep(v, v.site, b)
	if err != nil {
		return "", err
	}
	out, err := step.list(ctx, b.Packages(), "-deps", "-f", "{{if .CgoFiles}}{{.ImportPath}}{{end}}")
	if err != nil {
		return "", fmt.Errorf("listing packages that use C: %w", err)
	}
	packages := strings.Fields(string(out))
	if len(packages) == 0 {
		return "", nil
	}
	return fmt.Sprintf("upstream built it without -trimpath and with C in %s, so the random name of its build's folder (/tmp/go-build…) is in it, "+
		"which only the official binary tells", strings.Join(packages, ", ")), nil
}

// overridesTrimming reports whether flags trim paths for the compiler, but not
// for go.
func overridesTrimming(args []string) bool {
	return !slices.Contains(args, "-trimpath") && slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(a, "-gcflags=") && strings.Contains(a, "-trimpath=")
	})
}
