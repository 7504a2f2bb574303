package cmd

import (
	"context"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/submodule"
	"github.com/spf13/cobra"
)

// proofsProgram is the directory of the program with the Sigstore libraries.
const proofsProgram = "tools/proofs"

func newProofs(env cli.Env) *cobra.Command {
	var asJSON bool
	var trustedRoot string
	c := &cobra.Command{
		Use:   "proofs [VERSION...]",
		Short: "Verify upstream's signatures of the pinned files, without a network",
		Long: `Proofs verifies the Sigstore bundles in versions/proofs: the chain of the certificate
and its validity at the logged time, its signed certificate timestamp, the entry in the
transparency log, the signer by versions/proofs/policy.yaml, and the sha256 in the lock.

It prints the number of files by minor version, or each file of a VERSION:

  proven          upstream signed the sha256 in the lock
  missing         the repository has no proof
  unsigned        upstream signed no files of that version
  known-mismatch  upstream's signature is known to be of other bytes
  contradiction   the proof is invalid, or of other bytes

The exit code is 3 if there is a contradiction. The first run builds a program, which
needs the Go module proxy.`,
		Example: `  # Which files have a proof?
  hk proofs

  # Who signed the files of a version, and when?
  hk proofs v1.36.0 --json`,
		RunE: func(c *cobra.Command, args []string) error {
			args = append([]string{"verify"}, args...)
			if asJSON {
				args = append(args, "--json")
			}
			return runProofs(c.Context(), env, trustedRoot, args)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the result in JSON")
	trustedRootFlag(c, &trustedRoot)
	return c
}

func trustedRootFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "trusted-root", "", "trusted root of Sigstore, a `file` in JSON; by default versions/proofs/trusted_root.json")
}

// runProofs runs the program in the root of the checkout.
func runProofs(ctx context.Context, env cli.Env, trustedRoot string, args []string) error {
	if trustedRoot != "" {
		args = append(args, "--trusted-root="+env.Path(trustedRoot))
	}
	env.Args = args
	if env.Dir = checkout.Root(env.Dir); env.Dir == "" {
		return cli.Usage("%w", errNoCheckout)
	}
	return submodule.Run(ctx, env, proofsProgram)
}
