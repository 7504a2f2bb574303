package cmd

import (
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// pinProofs are the flags of hk pin that store proofs.
type pinProofs struct {
	fetch       string // "files", "documents", or "" without --proofs
	imports     string
	rekor       string
	trustedRoot string
}

// proofKinds are the values of --proofs.
var proofKinds = []string{"files", "documents"}

func (p *pinProofs) flags(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&p.fetch, "proofs", "", "fetch upstream's signatures of the pinned files, or with =documents those of SPDX documents that list them; `kind` is \"files\" by default")
	fs.Lookup("proofs").NoOptDefVal = proofKinds[0]
	fs.StringVar(&p.imports, "import-proofs", "", "verify the Sigstore bundles in a `directory` and store those of pinned files")
	fs.StringVar(&p.rekor, "rekor", "", "`URL` of the transparency log for --proofs, by default that of Sigstore's public instance")
	trustedRootFlag(c, &p.trustedRoot)
	completeFixed(c, "proofs", proofKinds)
}

func (p *pinProofs) selected() bool { return *p != pinProofs{} }

func (p *pinProofs) run(c *cobra.Command, env cli.Env) error {
	var other []string
	c.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains([]string{"proofs", "import-proofs", "rekor", "trusted-root"}, f.Name) {
			other = append(other, "--"+f.Name)
		}
	})
	switch {
	case len(other) > 0:
		return cli.Usage("want --proofs or --import-proofs without %v", other)
	case (p.fetch == "") == (p.imports == ""):
		return cli.Usage("want one of --proofs and --import-proofs; --rekor and --trusted-root only with them")
	case p.imports != "" && p.rekor != "":
		return cli.Usage("want --rekor only with --proofs")
	case p.imports != "":
		return runProofs(c.Context(), env, p.trustedRoot, []string{"import", env.Path(p.imports)})
	case !slices.Contains(proofKinds, p.fetch):
		return cli.Usage("--proofs: want one of %q, got %q", proofKinds, p.fetch)
	}
	args := []string{"fetch"}
	if p.fetch == "documents" {
		args = append(args, "--documents")
	}
	if p.rekor != "" {
		args = append(args, "--rekor="+p.rekor)
	}
	return runProofs(c.Context(), env, p.trustedRoot, args)
}
