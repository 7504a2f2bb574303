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

// Execute runs root with the arguments and streams of env. Wrong flags and
// arguments, and a command that needs a subcommand, exit with [cli.ExitUsage].
func Execute(ctx context.Context, env cli.Env, root *cobra.Command) error {
	root.SetArgs(env.Args)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return cli.Usage("%w; see %s -h", err, c.CommandPath())
	})
	root.InitDefaultCompletionCmd(env.Args...)
	setUsageErrors(root)
	return root.ExecuteContext(ctx)
}

// setUsageErrors attaches [cli.ExitUsage] to errors in the arguments of c and of its
// subcommands.
func setUsageErrors(c *cobra.Command) {
	for _, sub := range c.Commands() {
		setUsageErrors(sub)
	}
	if !c.Runnable() {
		c.SuggestionsMinimumDistance = 2
		c.Args, c.RunE = cobra.ArbitraryArgs, wantSubcommand
	} else if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return cli.Usage("%w; usage: %s", err, c.UseLine())
			}
			return nil
		}
	}
}

// wantSubcommand runs a command that needs a subcommand.
func wantSubcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		c.SetOut(c.ErrOrStderr())
		if err := c.Help(); err != nil {
			return err
		}
		return cli.Exit(cli.ExitUsage, nil)
	}
	hint := ""
	if names := c.SuggestionsFor(args[0]); len(names) > 0 {
		hint = fmt.Sprintf(", did you mean %s?", strings.Join(names, " or "))
	}
	return cli.Usage("unknown command %q of %s%s", args[0], c.CommandPath(), hint)
}
