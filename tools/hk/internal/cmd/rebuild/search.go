package rebuild

import (
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/search"
	"github.com/spf13/cobra"
)

func newSearch(env cli.Env) *cobra.Command {
	o := options{storeFromEnv: true}
	var phase, from, to, platform string
	c := &cobra.Command{
		Use:   "search VERSION",
		Short: "Find the unknown build dates of a version",
		Long: `Find the unknown build dates of a version: the wall clock of each phase of
upstream's build, in seconds. A date with which a binary has the official sha256 is
added to the build dates. An interrupted search continues where it stopped.`,
		Example: `  hk rebuild search v1.29.1
  hk rebuild search v1.29.1 --phase node --from 2024-01-17T15:46:26Z --to 2024-01-17T16:46:26Z`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			searched, err := parseRange(phase, from, to)
			if err != nil {
				return err
			}
			o.binaries, o.platforms = []string{rebuild.All}, []string{platform}
			s, err := o.open(env, args)
			if err != nil {
				return err
			}
			_, err = search.Searcher{
				Rebuilder: s.rebuilder, Platform: s.platforms[0], Phase: phase, Range: searched, Out: env.Out,
			}.Run(c.Context(), s.version, s.jobs, nil)
			return err
		},
	}
	c.Flags().StringVar(&platform, "platform", "linux/amd64", "`platform` of the binaries to search with")
	c.Flags().StringVar(&phase, "phase", "", "search this `phase` only, even if its date is known: "+strings.Join(phases, ", "))
	c.Flags().StringVar(&from, "from", "", "first `date` to search, such as 2024-01-17T15:46:26Z (default by the dates of other phases); needs --phase")
	c.Flags().StringVar(&to, "to", "", "last `date` to search; needs --from")
	o.register(c, "store", "dates", "gosum", "parallel")
	return c
}

var phases = []string{"server", "node", "client"}

// parseRange validates the flags of a search.
func parseRange(phase, from, to string) (r search.Range, err error) {
	if phase != "" && !slices.Contains(phases, phase) {
		return r, cli.Usage("--phase: want one of %s, got %q", strings.Join(phases, ", "), phase)
	}
	if from == "" && to == "" {
		return r, nil
	}
	if phase == "" {
		return r, cli.Usage("--from and --to need --phase")
	}
	if r.From, err = time.Parse(redate.Layout, from); err != nil {
		return r, cli.Usage("--from: %w", err)
	}
	if r.To, err = time.Parse(redate.Layout, to); err != nil {
		return r, cli.Usage("--to: %w", err)
	}
	if r.To.Before(r.From) {
		return r, cli.Usage("--to: %s is before --from %s", to, from)
	}
	return r, nil
}
