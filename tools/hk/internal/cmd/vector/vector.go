// Package vector has the commands below "hk vector", which inspect image vectors
// of Gardener: the image that is chosen and why, the effect of an overwrite, the
// overwrite to write, the effect of a change, and whether the images exist.
package vector

import (
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
)

// New returns the command "vector" with its subcommands.
func New(env cli.Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "vector",
		Short: "Inspect, check and overwrite image vectors of Gardener",
		Long: `Inspect, check and overwrite image vectors of Gardener; see docs/image-vector.md.

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 violation found: an overwrite
without effect, a difference or a missing image.`,
	}
	c.AddCommand(newLint(env), newFind(env), newOverwrite(env), newConfigMap(env), newDiff(env), newCheck(env))
	return c
}

// newCommand returns a command with the fields of c. Its positional arguments are
// checked by args.
func newCommand(c cobra.Command, args cobra.PositionalArgs, run func(c *cobra.Command, args []string) error) *cobra.Command {
	c.Args, c.RunE = args, run
	return &c
}

// errViolation ends a command that has printed the violations it found.
func errViolation() error { return cli.Exit(cli.ExitDrift, nil) }
