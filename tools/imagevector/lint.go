package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/imagevector/lint"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func lintOverwrite(_ context.Context, env cli.Env) error {
	in := input{env: env}
	fs := flag.NewFlagSet("imagevector lint", flag.ContinueOnError)
	in.flagVector(fs)
	in.flagReading(fs)
	in.flagRange(fs, "without it, all")
	noPublic := fs.Bool("no-public", false, "exit with 3 if an image is still pulled from a public registry")
	var private []string
	fs.Func("private", "the `prefix` of one's own registry, as registry.example.com/mirror; repeatable. With it, every other registry is public; without, those that everyone knows", func(s string) error {
		private = append(private, s)
		return nil
	})
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if in.vector == "" || len(in.overwrites) > 1 {
		return cli.Usage("want -vector FILE and, to lint an overwrite of it, one -overwrite FILE")
	}
	if in.compatible {
		return cli.Usage("-compatible: lint always reads as Gardener does, and says what strict reading finds")
	}
	asked, err := in.versions()
	if err != nil {
		return err
	}
	vector, err := in.read(in.vector)
	if err != nil {
		return fmt.Errorf("reading image vector %q: %w", in.vector, err)
	}
	config := lint.Config{
		Vector: vector, VectorFile: in.vector, Overwrite: []byte("images: []"),
		Kubernetes: asked, Architectures: in.architectures, Generation: in.generation, Private: private,
	}
	if len(in.overwrites) > 0 {
		config.OverwriteFile = in.overwrites[0]
		if config.Overwrite, err = in.read(config.OverwriteFile); err != nil {
			return fmt.Errorf("reading overwrite %q: %w", config.OverwriteFile, err)
		}
	}
	report, err := lint.Run(config)
	if err != nil {
		return err
	}
	if len(in.overwrites) == 0 {
		// The vector is what is judged, and must have an image for all that is asked.
		problems := report.VectorProblems
		if in.kubernetes != "" {
			_, err := imagevector.Parse(vector, append(in.options(in.vector), imagevector.WithVersions(asked, in.architectures...))...)
			errors.As(err, &problems)
		}
		report.OverwriteProblems, report.VectorProblems = problems, nil
	}
	if in.json {
		err = printJSON(env.Out, reportJSON(report))
	} else {
		err = printReport(env.Out, report)
	}
	if err != nil {
		return err
	}
	if !report.Clean() || *noPublic && len(report.Public) > 0 {
		return violation(nil)
	}
	return nil
}

func printReport(w io.Writer, r *lint.Report) error {
	var b strings.Builder
	if r.Generation == imagevector.Oldest {
		fmt.Fprintf(&b, "note: these files are of the oldest generation: \"version\" is read as the constraint on the runtime version. Gardener of today reads no constraint there\n\n")
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
	good := 0
	for _, e := range r.Entries {
		fmt.Fprintf(&b, "%v: %s: %s\n", e.Source.Position, e.Source.Name, verdicts()[e.Verdict])
		for _, line := range effects(e.Effects) {
			fmt.Fprintf(&b, "    takes effect for %s\n", line)
		}
		for _, why := range e.Why {
			fmt.Fprintf(&b, "    %s\n", why)
		}
		if len(e.Fix) > 0 {
			b.WriteString("  to make it effective, write:\n")
		}
		for _, f := range e.Fix {
			fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(strings.TrimSuffix(imagevector.RenderSource(f), "\n"), "\n", "\n    "))
		}
		if e.Verdict == lint.Effective || e.Verdict == lint.Elsewhere {
			good++
		}
	}
	if len(r.Entries) > 0 {
		fmt.Fprintf(&b, "\n%d of %d entries are effective\n", good, len(r.Entries))
	}
	registry := ""
	for _, p := range r.Public {
		if p.Registry != registry {
			registry = p.Registry
			fmt.Fprintf(&b, "\nstill pulled from %s:\n", registry)
		}
		fmt.Fprintf(&b, "    %s: %s (%v)\n", p.Name, p.Image, p.Source.Position)
		for _, line := range effects(p.Where) {
			fmt.Fprintf(&b, "        for %s\n", line)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// verdicts are the words for people.
func verdicts() map[lint.Verdict]string {
	return map[lint.Verdict]string{lint.Effective: "effective", lint.Partly: "EFFECTIVE IN PART ONLY", lint.Elsewhere: "effective, but not for what was asked for", lint.Ineffective: "NO EFFECT"}
}

// effects writes effects in words, architectures with the same versions together.
func effects(list []lint.Effect) []string {
	type part struct {
		shape    imagevector.Shape
		versions string
	}
	var order []part
	architectures := map[part][]string{}
	for _, e := range list {
		p := part{e.Shape, e.Versions.String()}
		if !slices.Contains(order, p) {
			order = append(order, p)
		}
		architectures[p] = append(architectures[p], e.Architecture)
	}
	var lines []string
	for _, p := range order {
		line := fmt.Sprintf("Kubernetes %s on %s", p.versions, strings.Join(architectures[p], ", "))
		switch p.shape {
		case imagevector.NoVersion:
			line = "look-ups without any version, on " + strings.Join(architectures[p], ", ")
		case imagevector.SameVersion:
		default:
			line += ", looked up " + p.shape.String()
		}
		lines = append(lines, line)
	}
	return lines
}
