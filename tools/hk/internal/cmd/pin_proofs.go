package cmd

import (
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// pinProofs are the flags of hk pin that store proofs.
type pinProofs struct {
	imports     string
	trustedRoot string
}

func (p *pinProofs) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.imports, "import-proofs", "", "verify the Sigstore bundles in a `directory` and store those of pinned files")
	trustedRootFlag(c, &p.trustedRoot)
}

func (p *pinProofs) selected() bool { return p.imports != "" || p.trustedRoot != "" }

func (p *pinProofs) run(c *cobra.Command, env cli.Env) error {
	var other []string
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "import-proofs" && f.Name != "trusted-root" {
			other = append(other, "--"+f.Name)
		}
	})
	if len(other) > 0 || p.imports == "" {
		return cli.Usage("want --import-proofs without %v, and --trusted-root only with it", other)
	}
	return runProofs(c.Context(), env, p.trustedRoot, []string{"import", env.Path(p.imports)})
}
