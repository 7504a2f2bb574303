package rebuild

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/spf13/cobra"
)

func newRun(env cli.Env) *cobra.Command {
	o := options{storeFromEnv: true}
	var provenance string
	var force, asJSON bool
	c := &cobra.Command{
		Use:   "run VERSION",
		Short: "Rebuild binaries of a version",
		Long: `Rebuild binaries of a version and compare them with the sha256 of the lock. It
prints a line for each binary, with one of these statuses:

  matched      equal to the official binary, and in the store now
  stored       in the store before; not built
  differs      not equal; the line has the path of the binary
  unbuildable  not built; the line has the reason

The exit code is 0 if all binaries are in the store, 3 if one differs, and 1 if
one could not be built.`,
		Example: `  hk rebuild run v1.36.0                          # all binaries of the flavors
  hk rebuild run v1.36.0 --binary kubectl --platform linux/arm64 --provenance kubectl.intoto.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := o.open(env, args)
			if err != nil {
				return err
			}
			r := s.rebuilder
			var statements bytes.Buffer
			if r.Force = force; provenance != "" {
				r.Force, r.Provenance = true, &statements
			}
			if asJSON {
				enc := json.NewEncoder(env.Out)
				r.Report = func(o rebuild.Outcome) { _ = enc.Encode(o) }
			}
			outcomes, err := r.Run(c.Context(), s.version, s.jobs)
			if o.record {
				err = errors.Join(err, s.recorder.Record(context.WithoutCancel(c.Context()), rebuild.Results(outcomes...)...))
			}
			if statements.Len() > 0 {
				err = errors.Join(err, atomic.WriteFile(env.Path(provenance), statements.Bytes()))
			}
			return errors.Join(err, rebuild.Verdict(outcomes))
		},
	}
	o.register(c, "binary", "platform", "store", "dates", "gosum", "parallel")
	c.Flags().StringVar(&provenance, "provenance", "", "`file` for in-toto statements, a line for each match; implies --force")
	c.Flags().BoolVar(&force, "force", false, "rebuild binaries that are in the store, too")
	c.Flags().BoolVar(&o.record, "record", false, "record the results in the checkout")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object for each binary, a line each")
	return c
}
