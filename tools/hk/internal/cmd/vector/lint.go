package vector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/imagevector/lint"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
)

// linter has the flags of lint.
type linter struct {
	input
	noPublic bool
	private  []string
}

func newLint(env cli.Env) *cobra.Command {
	l := linter{input: input{env: env}}
	c := newCommand(cobra.Command{
		Use:   "lint",
		Short: "Check a vector, or the effect of each entry of an overwrite",
		Example: `  hk vector lint --vector images.yaml --overwrite mine.yaml --kubernetes 1.33..1.36
  hk vector lint --vector images.yaml --overwrite mine.yaml --no-public --private registry.example.com`,
	}, cobra.NoArgs, func(c *cobra.Command, _ []string) error { return l.run(c.Context()) })
	fs := c.Flags()
	l.vectorFlags(fs)
	l.formatFlags(fs)
	l.rangeFlags(fs, "default all")
	fs.BoolVar(&l.noPublic, "no-public", false, "exit with 3 if an image is pulled from a public registry")
	fs.StringArrayVar(&l.private, "private", nil, "`prefix` of a private registry, such as registry.example.com/mirror; repeatable. Every other registry is then public (default: well-known registries are public)")
	return c
}

func (l *linter) run(ctx context.Context) error {
	if l.vector == "" || len(l.overwrites) > 1 {
		return cli.Usage("want --vector FILE and at most one --overwrite FILE")
	}
	if l.compatible {
		return cli.Usage("--compatible: lint always reads files as Gardener does, and reports the findings of strict reading")
	}
	within, err := l.versions()
	if err != nil {
		return err
	}
	vector, err := l.read(ctx, l.vector)
	if err != nil {
		return fmt.Errorf("reading image vector %q: %w", l.vector, err)
	}
	config := lint.Config{
		Vector: vector, VectorFile: l.vector, Overwrite: []byte("images: []"),
		Kubernetes: within, Architectures: l.architectures, Generation: l.generation, Private: l.private,
	}
	if len(l.overwrites) > 0 {
		config.OverwriteFile = l.overwrites[0]
		if config.Overwrite, err = l.read(ctx, config.OverwriteFile); err != nil {
			return fmt.Errorf("reading overwrite %q: %w", config.OverwriteFile, err)
		}
	}
	report, err := lint.Run(config)
	if err != nil {
		return err
	}
	if len(l.overwrites) == 0 {
		// Without an overwrite, the vector itself is checked, and must have an image
		// for every version.
		problems := report.VectorProblems
		if l.kubernetes != "" {
			_, err := imagevector.Parse(vector, append(l.options(l.vector), imagevector.WithVersions(within, l.architectures...))...)
			errors.As(err, &problems)
		}
		report.OverwriteProblems, report.VectorProblems = problems, nil
	}
	if l.json {
		err = printJSON(l.env.Out, reportJSON(report))
	} else {
		err = printReport(l.env.Out, report)
	}
	if err != nil {
		return err
	}
	if !report.Clean() || l.noPublic && len(report.Public) > 0 {
		return errViolation()
	}
	return nil
}

func printReport(w io.Writer, r *lint.Report) error {
	var b strings.Builder
	if r.Generation == imagevector.Oldest {
		fmt.Fprintf(&b, "note: files of the oldest generation: \"version\" is a constraint on the runtime version, which current versions of Gardener ignore\n\n")
	}
	for _, p := range r.OverwriteProblems {
		fmt.Fprintf(&b, "problem: %v\n", p)
	}
	for _, p := range r.VectorProblems {
		fmt.Fprintf(&b, "warning: %v\n", p)
	}
	if len(r.OverwriteProblems)+len(r.VectorProblems) > 0 {
		b.WriteString("\n")
	}
	for _, e := range r.Entries {
		fmt.Fprintf(&b, "%v: %s: %s\n", e.Source.Position, e.Source.Name, verdicts()[e.Verdict])
		for _, line := range effects(e.Effects) {
			fmt.Fprintf(&b, "    in effect for %s\n", line)
		}
		for _, reason := range e.Reasons {
			fmt.Fprintf(&b, "    %s\n", reason)
		}
		if len(e.Fix) > 0 {
			b.WriteString("  fix: replace it by\n")
		}
		for _, f := range e.Fix {
			fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(strings.TrimSuffix(imagevector.RenderSource(f), "\n"), "\n", "\n    "))
		}
	}
	if len(r.Entries) > 0 {
		fmt.Fprintf(&b, "\n%d of %d entries are effective\n", r.Effective(), len(r.Entries))
	}
	registry := ""
	for _, p := range r.Public {
		if p.Registry != registry {
			registry = p.Registry
			fmt.Fprintf(&b, "\npulled from %s:\n", registry)
		}
		fmt.Fprintf(&b, "    %s: %s (%v)\n", p.Name, p.Image, p.Source.Position)
		for _, line := range effects(p.Where) {
			fmt.Fprintf(&b, "        for %s\n", line)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// verdicts returns the text of each verdict.
func verdicts() map[lint.Verdict]string {
	return map[lint.Verdict]string{lint.Effective: "effective", lint.Partial: "PARTLY EFFECTIVE", lint.Elsewhere: "effective, but outside the given versions and architectures", lint.Ineffective: "NO EFFECT"}
}

// effects returns a line for each set of versions, with all of its architectures.
func effects(list []lint.Effect) []string {
	type part struct {
		mode     imagevector.LookupMode
		versions string
	}
	var order []part
	architectures := map[part][]string{}
	for _, e := range list {
		p := part{e.Mode, e.Versions.String()}
		if !slices.Contains(order, p) {
			order = append(order, p)
		}
		architectures[p] = append(architectures[p], e.Architecture)
	}
	var lines []string
	for _, p := range order {
		line := fmt.Sprintf("Kubernetes %s on %s", p.versions, strings.Join(architectures[p], ", "))
		switch p.mode {
		case imagevector.NoVersion:
			line = "lookups without a version on " + strings.Join(architectures[p], ", ")
		case imagevector.SameVersion:
		default:
			line += ", in lookups " + p.mode.String()
		}
		lines = append(lines, line)
	}
	return lines
}
