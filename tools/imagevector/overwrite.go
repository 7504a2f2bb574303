package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func overwrite(_ context.Context, env cli.Env) error {
	in := input{env: env}
	fs := flag.NewFlagSet("imagevector overwrite [NAME...]", flag.ContinueOnError)
	in.flagVector(fs)
	in.flagReading(fs)
	var rules imagevector.Rules
	fs.Func("replace", "`FROM=TO`: pull what is below FROM, a registry perhaps with a path, from TO; FROM may be *; repeatable, the longest FROM wins", func(s string) error {
		r, err := imagevector.ParseRule(s)
		rules = append(rules, r)
		return err
	})
	ca := fs.String("ca", "", "PEM `file` with the certificates that the registries are trusted by")
	out := fs.String("o", "", "write to a `file` instead of standard output")
	all := fs.Bool("all", false, "exit with 3 if there is an image that no rule is for")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if len(rules) == 0 {
		return cli.Usage("missing -replace FROM=TO")
	}
	v, err := in.merged(in.vector)
	if err != nil {
		return err
	}
	names, err := in.names(v, fs)
	if err != nil {
		return err
	}
	var images []string
	for _, s := range v.Sources() {
		images = append(images, s.Reference())
	}
	tellUnused(env, rules, images)
	entries, left := v.Rewrite(rules)
	if len(names) > 0 {
		other := func(s imagevector.Source) bool { return !slices.Contains(names, s.Name) }
		entries, left = slices.DeleteFunc(entries, other), slices.DeleteFunc(left, other)
	}
	var bundle *imagevector.CABundle
	if *ca != "" {
		text, err := in.read(*ca)
		if err != nil {
			return fmt.Errorf("reading certificates: %w", err)
		}
		pem := string(text)
		bundle = &imagevector.CABundle{Inline: &pem}
	}
	text := imagevector.Render(comment(in.vector, rules), entries, bundle)
	// What is written must be readable by the strictest reader.
	if _, err := imagevector.Parse(text, imagevector.AsOverwrite(), imagevector.WithGeneration(v.Generation())); err != nil {
		return fmt.Errorf("writing overwrite: %w", err)
	}
	if in.json {
		var b bytes.Buffer
		err = printJSON(&b, map[string]any{"images": list(entries), "left": list(left), "caBundle": bundle})
		text = b.Bytes()
	}
	switch file := *out; {
	case err != nil:
	case file == "":
		_, err = env.Out.Write(text)
	default:
		if !filepath.IsAbs(file) {
			file = filepath.Join(env.Dir, file)
		}
		err = atomic.WriteFile(file, text)
	}
	for _, s := range left {
		fmt.Fprintf(env.Err, "imagevector: no rule is for %s of %q\n", s.Reference(), s.Name)
	}
	if err == nil && *all && len(left) > 0 {
		return violation(nil)
	}
	return err
}

// tellUnused names rules that may have been written wrong.
func tellUnused(env cli.Env, rules imagevector.Rules, images []string) {
	for _, r := range rules.Unused(images) {
		fmt.Fprintf(env.Err, "imagevector: no image is below %s, so nothing goes to %s\n", r.From, r.To)
	}
}

// list is for programs, to which nothing is an empty list.
func list(sources []imagevector.Source) []imagevector.Source {
	return append([]imagevector.Source{}, sources...)
}

// comment says where an overwrite comes from.
func comment(vector string, rules imagevector.Rules) string {
	var b strings.Builder
	fmt.Fprintf(&b, "An overwrite of %s. Each entry has the name, the constraints and the\narchitectures of the entry that it replaces, letter by letter: keep them so.\n", filepath.Base(vector))
	for _, r := range rules {
		fmt.Fprintf(&b, "  %s -> %s\n", r.From, r.To)
	}
	return b.String()
}
