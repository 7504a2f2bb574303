package install

import (
	"context"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/toolset"
)

// rollback makes the previous set the current one.
func rollback(ctx context.Context, env Env) (int, error) {
	var o options
	flags := o.flags()
	flags.Var(&o.changed, "changed", "")
	if err := o.parse(flags, env.Args); err != nil {
		return exitUsage, err
	}
	results, err := toolset.Rollback(ctx, o.toolset(env.Err))
	return o.report(results, err, env.Out)
}
