// Oci composes images and indexes out of layers, and pushes and loads them: the
// work of rules_oci on a machine that cannot have it. Bazel runs it, through the
// stand-in in airgap/.
package main

import (
	"context"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("oci", run)) }

var words = map[string]cli.Command{
	"base":  base,
	"image": image,
	"index": index,
	"load":  load,
	"push":  push,
}

func run(ctx context.Context, env cli.Env) error {
	if len(env.Args) == 0 || words[env.Args[0]] == nil {
		return cli.Usage("want one of the words base, image, index, load, push; got %q", strings.Join(env.Args, " "))
	}
	word := words[env.Args[0]]
	env.Args = env.Args[1:]
	return word(ctx, env)
}
