// Package cmd has the commands of hk, a file each; those with commands of their
// own are packages below.
package cmd

import (
	"context"

	"github.com/hyperkube/hyperkube/tools/hk/internal/cmd/vector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/cli/subcommand"
	"github.com/spf13/cobra"
)

// Run runs hk.
func Run(ctx context.Context, env cli.Env) error {
	return subcommand.Execute(ctx, env, root(env))
}

func root(env cli.Env) *cobra.Command {
	return subcommand.Group(
		&cobra.Command{
			Use:   "hk",
			Short: "Build, check and move reproducible images of Kubernetes binaries",
		},
		vector.New(env),
	)
}
