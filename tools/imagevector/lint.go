package main

import (
	"context"
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
	if in.vector == "" || len(in.overwrites) != 1 {
		return cli.Usage("want -vector FILE and one -overwrite FILE")
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
	over, err := in.read(in.overwrites[0])
	if err != nil {
		return fmt.Errorf("reading overwrite %q: %w", in.overwrites[0], err)
	}
	report, err := lint.Run(lint.Config{
		Vector: vector, Overwrite: over, VectorFile: in.vector, OverwriteFile: in.overwrites[0],
		Kubernetes: asked, Architectures: in.architectures, Generation: in.generation, Private: private,
	})
	if err != nil {
		return err
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
	fmt.Fprintf(&b, "\n%d of %d entries are effective\n", good, len(r.Entries))
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

// What lint prints for programs.
type (
	jsonReport struct {
		Generation string        `json:"generation"`
		Problems   []jsonProblem `json:"problems"`
		Warnings   []jsonProblem `json:"warnings"`
		Entries    []jsonEntry   `json:"entries"`
		Public     []jsonPublic  `json:"public"`
		Effective  int           `json:"effective"`
	}
	jsonProblem struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Field   string `json:"field"`
		Message string `json:"message"`
	}
	jsonEntry struct {
		Index   int                  `json:"index"`
		Line    int                  `json:"line"`
		Name    string               `json:"name"`
		Verdict lint.Verdict         `json:"verdict"`
		Effects []jsonEffect         `json:"effects,omitempty"`
		Lost    []jsonLoss           `json:"lost,omitempty"`
		Why     []string             `json:"why,omitempty"`
		Fix     []imagevector.Source `json:"fix,omitempty"`
	}
	jsonEffect struct {
		LookedUp     string `json:"lookedUp"`
		Architecture string `json:"architecture"`
		Versions     string `json:"versions,omitempty"`
	}
	jsonLoss struct {
		Versions      string   `json:"versions"`
		Architectures []string `json:"architectures"`
		To            string   `json:"to"`
	}
	jsonPublic struct {
		Registry string       `json:"registry"`
		Name     string       `json:"name"`
		Image    string       `json:"image"`
		Entry    string       `json:"entry"`
		Where    []jsonEffect `json:"where"`
	}
)

func reportJSON(r *lint.Report) jsonReport {
	out := jsonReport{Generation: "current", Problems: []jsonProblem{}, Warnings: []jsonProblem{}, Entries: []jsonEntry{}, Public: []jsonPublic{}}
	if r.Generation == imagevector.Oldest {
		out.Generation = "oldest"
	}
	for _, p := range r.OverwriteProblems {
		out.Problems = append(out.Problems, jsonProblem{p.File, p.Line, p.Column, p.Field, p.Message})
	}
	for _, p := range r.VectorProblems {
		out.Warnings = append(out.Warnings, jsonProblem{p.File, p.Line, p.Column, p.Field, p.Message})
	}
	for _, e := range r.Entries {
		if e.Verdict == lint.Effective || e.Verdict == lint.Elsewhere {
			out.Effective++
		}
		var lost []jsonLoss
		for _, l := range e.Lost {
			lost = append(lost, jsonLoss{l.Versions.String(), l.Architectures, l.To.Position.String()})
		}
		out.Entries = append(out.Entries, jsonEntry{e.Index, e.Source.Position.Line, e.Source.Name, e.Verdict, effectsJSON(e.Effects), lost, e.Why, e.Fix})
	}
	for _, p := range r.Public {
		out.Public = append(out.Public, jsonPublic{p.Registry, p.Name, p.Image, p.Source.Position.String(), effectsJSON(p.Where)})
	}
	return out
}

func effectsJSON(list []lint.Effect) []jsonEffect {
	var out []jsonEffect
	for _, e := range list {
		j := jsonEffect{LookedUp: e.Shape.String(), Architecture: e.Architecture}
		if !e.Versions.Empty() {
			j.Versions = e.Versions.String()
		}
		out = append(out, j)
	}
	return out
}
