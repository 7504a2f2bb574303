package cmd

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/audit"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// auditFlags are the flags of hk audit.
type auditFlags struct {
	audit.Audit
	flavor, versions, metrics string
	ignore, require           []string
}

func newAudit(env cli.Env) *cobra.Command {
	var a auditFlags
	c := &cobra.Command{
		Use:   "audit REPOSITORY",
		Short: "Compare all tags of a repository with manifest, records and earlier audits",
		Long: `Audit lists the tags of a repository in a registry, and asks for the digest of each. It
finds tags that are missing, changed (another digest than on record, or than at an
earlier audit) or extra, and counts images without a signature or an SBOM attached. It
reads no content: hk verify does.

REPOSITORY has the registry, and the images of one flavor. The flavor is the one whose
repository in versions.yaml the path ends with, unless --flavor names it. Credentials
come from the configuration of docker or podman.

With --history, each audit appends the digests to a file. A changed tag remains a finding
until --accept. An audit that was interrupted goes on where it ended.

The exit code is 0 without findings, 3 with findings, and 1 if a check failed.`,
		Example: `  # Audit a repository, and remember its digests.
  hk audit registry.example/k8s/hyperkube --history audit.jsonl

  # Expect the images from v1.34 on, and a signature of each.
  hk audit registry.example/rke --versions '>= 1.34.0' --require signature

  # Write metrics for the textfile collector of Prometheus' node exporter.
  hk audit registry.example/kubectl --history audit.jsonl --metrics /var/lib/node_exporter/hk.prom`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			a.Repository = args[0]
			return a.run(c, env)
		},
	}
	fs := c.Flags()
	fs.StringVar(&a.flavor, "flavor", "", "the `flavor` of the images; default: by the name of the repository")
	completeFlavor(env, c)
	fs.StringVar(&a.versions, "versions", ">= 0.0.0", "the `constraint` of the versions of Kubernetes whose images must exist")
	fs.StringVar(&a.History, "history", "", "append the digests to a `file`, and compare them with those in it")
	fs.DurationVar(&a.Resume, "resume", 10*time.Minute, "do not repeat the checks of an audit that was interrupted less than this `duration` ago")
	fs.StringArrayVar(&a.Accept, "accept", nil, "take the digest of a `tag` at the last audit, or its absence, for the right one; repeatable")
	fs.StringArrayVar(&a.ignore, "ignore", nil, "do not check tags that match this `pattern`, like latest or v1.36.*-test, unless they are those of images; repeatable")
	fs.StringSliceVar(&a.require, "require", nil, "images without a `signature` or sbom are findings; comma-separated")
	completeFixed(c, "require", []string{"signature", "sbom"})
	fs.StringVar(&a.metrics, "metrics", "", "write the metrics of a complete audit to a `file`, in the text format of Prometheus")
	fs.IntVarP(&a.Parallel, "parallel", "p", 16, "`number` of requests at a time")
	jsonFlag(c)
	return c
}

func completeFlavor(env cli.Env, c *cobra.Command) {
	complete(c, "flavor", completeFrom(env, func(c *versions.Catalog) []string {
		var names []string
		for _, f := range c.Manifest.Flavors {
			names = append(names, f.Name)
		}
		return names
	}))
}

func (a auditFlags) run(c *cobra.Command, env cli.Env) error {
	d, err := checkout.Open(env.Dir)
	if err != nil {
		return err
	}
	flavor, err := audit.Flavor(d.Catalog.Manifest, a.Repository, a.flavor)
	if err != nil {
		return err
	}
	required, err := versions.ParseConstraint(a.versions)
	if err != nil {
		return cli.Usage("--versions: %w", err)
	}
	if a.Expected, err = audit.Expect(d.Catalog, d.Records, flavor, required, a.ignore); err != nil {
		return err
	}
	for _, what := range a.require {
		switch what {
		case "signature":
			a.Signature = true
		case "sbom":
			a.SBOM = true
		default:
			return cli.Usage("--require: want signature or sbom, got %q", what)
		}
	}
	if a.Parallel < 1 || a.Parallel > 256 {
		return cli.Usage("--parallel: want 1 to 256, got %d", a.Parallel)
	}
	if len(a.Accept) > 0 && a.History == "" {
		return cli.Usage("--accept: want --history with it")
	}
	a.History, a.Now = env.Path(a.History), time.Now
	report, err := a.Run(c.Context(), progress.New(env.Err, env.Getenv))
	if report.Repository == "" {
		return err
	}
	err = errors.Join(err, printResult(c, report, func(w io.Writer, r audit.Report) { r.Print(w) }))
	if err != nil {
		return fmt.Errorf("the audit is incomplete: %w", err)
	}
	if a.metrics != "" {
		if err := report.WriteMetrics(env.Path(a.metrics)); err != nil {
			return err
		}
	}
	if len(report.Findings) > 0 {
		return cli.Exit(cli.ExitDrift, nil)
	}
	return nil
}
