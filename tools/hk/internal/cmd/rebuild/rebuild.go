// Package rebuild has the commands of hk rebuild.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/builder"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/survey"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// New returns the command rebuild.
func New(env cli.Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Build official Kubernetes binaries from source, bit for bit",
		Long: `Build official Kubernetes binaries from source, bit for bit, with a Go module
proxy, and for kubelet a Debian mirror. Binaries with the sha256 of the lock enter
the store, from which images are built. Needs Linux.`,
		Example: `  hk rebuild run v1.36.0 --binary kubectl --platform linux/amd64
  hk rebuild search v1.29.1`,
	}
	c.AddCommand(newRun(env), newPlan(env), newSearch(env), newSurvey(env), newTable(env))
	return c
}

// options are the flags that several commands share.
type options struct {
	binaries  []string
	platforms []string
	store     string
	dates     string
	goSum     string
	parallel  int

	storeFromEnv bool // open $HYPERKUBE_STORE without --store
	record       bool // fail outside of a checkout, which has the results
}

// register sets the defaults of all options, and adds the named flags to c.
func (o *options) register(c *cobra.Command, names ...string) {
	store := "none"
	if o.storeFromEnv {
		store = "$HYPERKUBE_STORE, or store in the cache directory"
	}
	all := pflag.NewFlagSet("", pflag.PanicOnError)
	all.StringSliceVar(&o.binaries, "binary", nil, "comma-separated `names`, or \"all\" for every binary in the lock (default those of all flavors)")
	all.StringSliceVar(&o.platforms, "platform", versions.Platforms, "comma-separated `platforms`")
	all.StringVar(&o.store, "store", "", "`directory` of the store for matching binaries (default "+store+")")
	all.StringVar(&o.dates, "dates", "", "`file` of build dates (default "+builddate.File+" of the checkout, or the embedded one)")
	all.StringVar(&o.goSum, "gosum", "", "go.sum `file` to trust in place of the Go checksum database")
	all.IntVarP(&o.parallel, "parallel", "p", builder.DefaultParallel(), "`number` of concurrent compilers, which need up to 1 GiB of memory each")
	for _, name := range names {
		c.Flags().AddFlag(all.Lookup(name))
	}
}

// session has the data of the checkout and the validated options.
type session struct {
	checkout.Data
	rebuilder rebuild.Rebuilder
	recorder  results.Recorder
	platforms []versions.Platform
	version   versions.Version // zero without an argument
	jobs      []rebuild.Job    // of version
}

// open validates the options and the argument VERSION, if there is one.
func (o *options) open(env cli.Env, args []string) (s session, err error) {
	if len(args) > 0 {
		if s.version, err = versions.ParseVersion(args[0]); err != nil {
			return s, cli.Usage("%w", err)
		}
	}
	for _, name := range o.platforms {
		p, err := versions.ParsePlatform(name)
		if err != nil {
			return s, cli.Usage("--platform: %w", err)
		}
		s.platforms = append(s.platforms, p)
	}
	if o.parallel < 1 {
		return s, cli.Usage("--parallel: want 1 or more, got %d", o.parallel)
	}
	if s.Data, err = checkout.Open(env.Dir); err != nil {
		return s, err
	}
	if len(args) > 0 {
		if s.jobs, err = rebuild.Jobs(s.Catalog, s.version, o.binaries, s.platforms); err != nil {
			return s, err
		}
	}
	if o.record && s.Root == "" {
		return s, fmt.Errorf("recording results: %q is not in a checkout, which has %s", env.Dir, results.File)
	}
	cache, err := cachedir.Dir(env.Getenv)
	if err != nil {
		return s, err
	}
	s.rebuilder = rebuild.Rebuilder{
		Builder: builder.Config{
			Cache: cache, GoSum: env.Path(o.goSum), Parallel: o.parallel,
			Getenv: env.Getenv, Log: env.Err, Progress: progress.New(env.Err, env.Getenv),
		},
		Dates:  builddate.Database{Path: env.Path(o.dates), Lock: filepath.Join(cache, "rebuild", "dates.lock")},
		Report: func(o rebuild.Outcome) { fmt.Fprintln(env.Out, o) },
	}
	if o.dates == "" && s.Root != "" {
		s.rebuilder.Dates.Path = filepath.Join(s.Root, filepath.FromSlash(builddate.File))
	}
	s.recorder = results.Recorder{Root: s.Root, Cache: cache}
	dir := env.Path(o.store)
	if dir == "" && o.storeFromEnv {
		if dir, err = cachedir.Store(env.Getenv); err != nil {
			return s, err
		}
	}
	if dir != "" {
		st := store.New(dir)
		s.rebuilder.Store = &st
	}
	return s, nil
}

func newPlan(env cli.Env) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "plan VERSION",
		Short: "Print the go commands that build binaries, and run none",
		Example: `  hk rebuild plan v1.36.0 --binary kubelet --platform linux/arm64
  hk rebuild plan v1.36.0 --binary all`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := o.open(env, args)
			if err != nil {
				return err
			}
			return s.rebuilder.Plan(c.Context(), env.Out, s.version, s.jobs)
		},
	}
	o.register(c, "binary", "platform", "dates", "gosum")
	return c
}

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
			// A permanent failure is a result of a survey, not an error.
			outcomes = slices.DeleteFunc(outcomes, func(o rebuild.Outcome) bool { return o.Status == rebuild.Unbuildable && !o.Transient })
			return errors.Join(err, rebuild.Verdict(outcomes))
		},
	}
	o.register(c, "platform", "store", "dates", "gosum", "parallel")
	return c
}

func newTable(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "table",
		Short: "Update the table of " + results.DocFile + " from " + results.File,
		Example: `  hk rebuild table
  hk rebuild table && git diff --exit-code ` + results.DocFile,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := (&options{parallel: 1, record: true}).open(env, nil)
			if err != nil {
				return err
			}
			return s.recorder.Record(context.WithoutCancel(c.Context()))
		},
	}
}
