// Package cmd has the commands of the program: verify, import and fetch. People call
// them by hk proofs and hk pin.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/cli/subcommand"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/proofs"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstore"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// Run runs the program. The working directory is the root of a checkout.
func Run(ctx context.Context, env cli.Env) error {
	c := &cobra.Command{Use: "proofs", Short: "Verify, import and fetch proofs of upstream's signatures"}
	c.PersistentFlags().String("trusted-root", proofs.RootFile, "trusted root of Sigstore, a `file` in JSON")
	c.AddCommand(newVerify(env), newImport(env), newFetch(env))
	return subcommand.Execute(ctx, env, c)
}

// open opens the proofs of the checkout.
func open(c *cobra.Command, env cli.Env) (*proofs.Store, error) {
	ctx := c.Context()
	rootFile, err := c.Flags().GetString("trusted-root")
	if err != nil {
		return nil, err
	}
	rawRoot, err1 := ctxio.ReadFile(ctx, env.Path(rootFile), proofs.MaxConfig)
	rawPolicy, err2 := ctxio.ReadFile(ctx, env.Path(proofs.PolicyFile), proofs.MaxConfig)
	rawLock, err3 := versions.ReadFile(os.DirFS(env.Dir), versions.LockFile)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("opening the proofs: %w", err)
	}
	trusted, err1 := sigstore.ParseRoot(rootFile, rawRoot)
	policy, err2 := sigstore.ParsePolicy(proofs.PolicyFile, rawPolicy)
	lock, err3 := versions.ParseLock(versions.LockFile, rawLock)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	v, err := sigstore.NewVerifier(trusted, policy)
	if err != nil {
		return nil, err
	}
	return proofs.NewStore(env.Dir, lock, v), nil
}

// exclusive runs do while no other process writes to the checkout.
func exclusive(ctx context.Context, env cli.Env, do func() error) error {
	dir, err := lockfile.AcquireDir(ctx, env.Dir, lockfile.Wait{Timeout: lockfile.LongTimeout, Notify: func(holder string) {
		fmt.Fprintf(env.Err, "hk: waiting for %s, which writes to the checkout\n", holder)
	}})
	if err != nil {
		return err
	}
	defer dir.Close()
	return do()
}

// refusals attaches [cli.ExitDrift] to an error with a proof that was refused.
func refusals(err error) error {
	var refusal *proofs.Refusal
	if errors.As(err, &refusal) {
		return cli.Exit(cli.ExitDrift, err)
	}
	return err
}

func newImport(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "import DIR",
		Short: "Verify and store the bundles in a directory",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := open(c, env)
			if err != nil {
				return err
			}
			return exclusive(c.Context(), env, func() error {
				n, err := s.Import(c.Context(), env.Path(args[0]))
				fmt.Fprintf(env.Err, "hk: added %d proofs; %d were present\n", n.Added, n.Present)
				return refusals(err)
			})
		},
	}
}
