package rebuild

import (
	"errors"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/survey"
	"github.com/spf13/cobra"
)

func newSurvey(env cli.Env) *cobra.Command {
	o := options{record: true}
	c := &cobra.Command{
		Use:   "survey",
		Short: "Rebuild all binaries without a result, and record the results",
		Long: `Rebuild the binaries of version after version that have no recorded result, and
record the results in ` + results.File + ` and ` + results.DocFile + ` of the checkout. It
may be stopped at any time, and continues with the next run. It keeps no binaries
without --store: all of them take about 100 GB.`,
		Example: `  hk rebuild survey
  hk rebuild survey --platform linux/amd64 -p 8`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := o.open(env, nil)
			if err != nil {
				return err
			}
			outcomes, err := survey.Surveyor{
				Rebuilder: s.rebuilder, Recorder: s.recorder, Catalog: s.Catalog, Platforms: s.platforms, Out: env.Out,
			}.Run(c.Context())
			// A permanent failure is a result of a survey, and no failure of it.
			outcomes = slices.DeleteFunc(outcomes, func(o rebuild.Outcome) bool { return o.Status == rebuild.Unbuildable && !o.Transient })
			return errors.Join(err, rebuild.Verdict(outcomes))
		},
	}
	o.register(c, "platform", "store", "dates", "gosum", "parallel")
	return c
}
