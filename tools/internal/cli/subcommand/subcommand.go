// Package subcommand runs a tree of cobra commands on a [cli.Env], with the exit
// codes of package cli.
package subcommand

import (
	"context"
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
)

// Execute runs root with the arguments and streams of env. Errors of flags and
// arguments exit with [cli.ExitUsage].
func Execute(ctx context.Context, env cli.Env, root *cobra.Command) error {
	root.SetArgs(env.Args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return cli.Usage("%w; see %s -h", err, c.CommandPath())
	})
	return root.ExecuteContext(ctx)
}

// Args returns a validator of positional arguments whose error exits with
// [cli.ExitUsage].
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return cli.Usage("%w; usage: %s", err, c.UseLine())
		}
		return nil
	}
}

// Group returns a command that only has subcommands.
func Group(c *cobra.Command, subcommands ...*cobra.Command) *cobra.Command {
	c.AddCommand(subcommands...)
	c.SuggestionsMinimumDistance = 2
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ""
		if names := c.SuggestionsFor(args[0]); len(names) > 0 {
			hint = fmt.Sprintf(", did you mean %s?", strings.Join(names, " or "))
		}
		return cli.Usage("unknown command %q of %s%s", args[0], c.CommandPath(), hint)
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		c.SetOut(c.ErrOrStderr())
		if err := c.Help(); err != nil {
			return err
		}
		return cli.Exit(cli.ExitUsage, nil)
	}
	return c
}
