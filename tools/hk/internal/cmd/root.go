// Package cmd has the commands of hk, a file each; those with commands of their
// own are packages below.
package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/hyperkube/hyperkube/tools/hk/internal/cmd/rebuild"
	"github.com/hyperkube/hyperkube/tools/hk/internal/cmd/vector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/cli/subcommand"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// Run runs hk.
func Run(ctx context.Context, env cli.Env) error {
	return subcommand.Execute(ctx, env, root(env))
}

// errNoCheckout is the error of commands that write to the repository.
var errNoCheckout = errors.New("want a checkout of the repository as working directory")

func root(env cli.Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "hk",
		Short: "Build, check and move reproducible images of Kubernetes binaries",
		Long: `Hk builds, checks and moves reproducible images of Kubernetes binaries.

An image is named FLAVOR:TAG, like rke:v1.36.0-rancher1; a tag alone, like
v1.36.0, names an image of the default flavor. In a checkout of the repository
hk uses its versions/ and images/digests.json, elsewhere the embedded ones.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a mismatch or a violation was found.`,
	}
	c.AddCommand(
		newAudit(env),
		newBuild(env),
		newExplain(env),
		newFetch(env),
		newList(env),
		newPin(env),
		newProofs(env),
		newProvenance(env),
		newPush(env),
		rebuild.New(env),
		newSave(env),
		newSBOM(env),
		vector.New(env),
		newVerify(env),
		newVersion(env),
	)
	return c
}

// jsonFlag adds --json; see printResult.
func jsonFlag(c *cobra.Command) {
	c.Flags().Bool("json", false, "print the result in JSON")
}

// printResult prints the result of a command, in JSON with --json.
func printResult[T any](c *cobra.Command, result T, printText func(io.Writer, T)) error {
	asJSON, err := c.Flags().GetBool("json")
	if !asJSON || err != nil {
		printText(c.OutOrStdout(), result)
		return err
	}
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", " ")
	return e.Encode(result)
}

// platformFlag adds --platform.
func platformFlag(c *cobra.Command, p *versions.Platform, usage string) {
	c.Flags().Func("platform", usage, func(s string) (err error) {
		*p, err = versions.ParsePlatform(s)
		return err
	})
	completeFixed(c, "platform", versions.Platforms)
}
