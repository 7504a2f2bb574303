// Oci composes OCI images and indexes from layers, pushes them, loads them into a
// container engine and saves them to archives. It is a program of Bazel actions: of
// //images:defs.bzl, and of airgap/modules/rules_oci, the replacement of rules_oci
// for machines that cannot download it.
package main

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("oci", run)) }

var commands = map[string]cli.Command{
	"archive": archive,
	"base":    base,
	"image":   image,
	"index":   index,
	"load":    load,
	"push":    push,
}

func run(ctx context.Context, env cli.Env) error {
	if len(env.Args) == 0 || commands[env.Args[0]] == nil {
		return cli.Usage("unknown command %q: want one of %s", strings.Join(env.Args, " "), strings.Join(slices.Sorted(maps.Keys(commands)), ", "))
	}
	command := commands[env.Args[0]]
	env.Args = env.Args[1:]
	return command(ctx, env)
}
