package cmd

import (
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/cli/subcommand"
	"github.com/spf13/cobra"
)

func newCompletion(env cli.Env) *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"bash": func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) },
		"fish": func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) },
		"zsh":  (*cobra.Command).GenZshCompletion,
	}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print a completion script for a shell",
		Long: `Completion prints a script that completes commands, flags, images, keys and platforms.
In bash it needs the package bash-completion.`,
		Example: `  # Load completions into the current bash.
  source <(hk completion bash)

  # Install completions for fish.
  hk completion fish >~/.config/fish/completions/hk.fish`,
		ValidArgs: []cobra.Completion{"bash", "zsh", "fish"},
		Args:      subcommand.Args(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		RunE: func(c *cobra.Command, args []string) error {
			return shells[args[0]](c.Root(), env.Out)
		},
	}
}
