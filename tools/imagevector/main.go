// Imagevector answers what operators of Gardener ask of image vectors: which
// image is chosen and why, whether an overwrite takes effect, what to overwrite,
// what a change changes, and whether the images exist.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something is wrong with what was
// looked at: an overwrite without effect, a difference, a missing image.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("imagevector", run)) }

// command is one of the things imagevector does.
type command struct {
	name, about string
	run         cli.Command
}

func commands() []command {
	return []command{
		{"find", "say which image is chosen, and why", find},
		{"lint", "say what is wrong with a vector, which entries of an overwrite take effect, and why others do not", lintOverwrite},
		{"overwrite", "write an overwrite that moves images to other registries", overwrite},
		{"configmap", "write the ConfigMap and the Deployment patch that put an overwrite in force", configMap},
		{"diff", "say what two vectors choose differently", diff},
		{"check", "say whether the images that are chosen exist", check},
	}
}

func run(ctx context.Context, env cli.Env) error {
	if len(env.Args) == 0 {
		return cli.Usage("missing command\n%s", usage())
	}
	name := env.Args[0]
	env.Args = env.Args[1:]
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, env)
		}
	}
	if name == "-h" || name == "-help" || name == "--help" || name == "help" {
		_, err := fmt.Fprint(env.Out, usage())
		return err
	}
	return cli.Usage("unknown command %q\n%s", name, usage())
}

func usage() string {
	var b strings.Builder
	b.WriteString("usage: imagevector COMMAND [FLAGS]; the flags of each: imagevector COMMAND -h\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-10s %s\n", c.name, c.about)
	}
	return b.String()
}

// violation ends a command that found something wrong and has said so.
func violation(err error) error { return errors.Join(err, cli.Exit(cli.ExitDrift, nil)) }
