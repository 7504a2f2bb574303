package cmd

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/proofs"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/upstream"
	"github.com/spf13/cobra"
)

// fix is for machines that do not reach upstream.
const fix = "Fix: run hk pin --proofs where dl.k8s.io and rekor.sigstore.dev can be reached, and hk pin --import-proofs versions/proofs here"

func newFetch(env cli.Env) *cobra.Command {
	var rekor string
	var documents bool
	c := &cobra.Command{
		Use:   "fetch",
		Short: "Fetch, verify and store the proofs that are missing",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			mirror, err := mirror(env)
			if err != nil {
				return err
			}
			s, err := open(c, env)
			if err != nil {
				return err
			}
			return exclusive(c.Context(), env, func() error {
				n, err := s.Fetch(c.Context(), proofs.FetchOptions{
					Client: &upstream.Client{Mirror: mirror, Rekor: rekor}, Progress: progress.New(env.Err, env.Getenv), Documents: documents,
				})
				fmt.Fprintf(env.Err, "hk: added %d proofs; upstream published no signature of %d files\n", n.Bundles, n.Unpublished)
				if err = refusals(err); errors.As(err, new(*upstream.RequestError)) {
					return fmt.Errorf("%w\n%s", err, fix)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&rekor, "rekor", upstream.DefaultRekor, "`URL` of the transparency log")
	c.Flags().BoolVar(&documents, "documents", false, "fetch SPDX documents first")
	return c
}

// mirror returns the mirror of upstream in the environment; see package fetch of hk.
func mirror(env cli.Env) (string, error) {
	mirror := env.Getenv("HYPERKUBE_UPSTREAM")
	if mirror == "off" || mirror == "" && env.Getenv("HYPERKUBE_REBUILD") == "1" {
		return "", errors.New("fetching proofs: downloads are disabled by HYPERKUBE_UPSTREAM or HYPERKUBE_REBUILD\n" + fix)
	}
	if u, err := url.Parse(mirror); mirror != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return "", cli.Usage("HYPERKUBE_UPSTREAM: want https://HOST or https://HOST/PATH, or \"off\"") // may have a password
	}
	return mirror, nil
}
