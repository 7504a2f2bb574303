// Oci composes OCI images and indexes from layers, pushes them, loads them into a
// container engine and saves them to archives. It is a program of Bazel actions: of
// //images:defs.bzl, and of airgap/modules/rules_oci, the replacement of rules_oci
// for machines that cannot download it.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("oci", run)) }

var commands = map[string]cli.Command{
	"archive":   archive,
	"base":      base,
	"documents": documents,
	"image":     image,
	"index":     index,
	"load":      load,
	"push":      push,
}

func run(ctx context.Context, env cli.Env) error {
	names := strings.Join(slices.Sorted(maps.Keys(commands)), ", ")
	switch {
	case len(env.Args) == 0:
		return cli.Usage("missing command: want one of %s", names)
	case slices.Contains([]string{"-h", "-help", "--help"}, env.Args[0]):
		_, err := fmt.Fprintf(env.Out, "Usage: oci COMMAND [FLAG]...\n\nCommands: %s. For the flags of a command, run oci COMMAND -h.\n", names)
		return err
	case commands[env.Args[0]] == nil:
		return cli.Usage("unknown command %q: want one of %s", env.Args[0], names)
	}
	command := commands[env.Args[0]]
	env.Args = env.Args[1:]
	return command(ctx, env)
}
