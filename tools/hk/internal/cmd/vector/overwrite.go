package vector

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
)

// overwriter has the flags of overwrite.
type overwriter struct {
	input
	rules      imagevector.Rules
	ca, output string
	all        bool
}

func newOverwrite(env cli.Env) *cobra.Command {
	o := overwriter{input: input{env: env}}
	c := newCommand(cobra.Command{
		Use:   "overwrite [NAME...]",
		Short: "Write an overwrite that pulls images from other registries",
		Example: `  hk vector overwrite --vector images.yaml --replace registry.k8s.io=registry.example.com/k8s -o mine.yaml
  hk vector overwrite --vector images.yaml --replace '*=registry.example.com/mirror' --ca ca.pem --all pause-container`,
	}, cobra.ArbitraryArgs, func(c *cobra.Command, names []string) error { return o.run(c.Context(), names) })
	fs := c.Flags()
	o.vectorFlags(fs)
	o.formatFlags(fs)
	fs.Func("replace", "`FROM=TO`: replace the prefix FROM of images, a registry with or without a path or * for every registry, by TO; repeatable, the longest FROM wins", parseRule(&o.rules))
	fs.StringVar(&o.ca, "ca", "", "PEM `file` with the certificate authorities of the registries")
	fs.StringVarP(&o.output, "output", "o", "", "write to a `file` instead of standard output")
	fs.BoolVar(&o.all, "all", false, "exit with 3 if an image matches no rule")
	return c
}

// parseRule returns the parser of a repeatable flag FROM=TO.
func parseRule(rules *imagevector.Rules) func(string) error {
	return func(s string) error {
		r, err := imagevector.ParseRule(s)
		*rules = append(*rules, r)
		return err
	}
}

func (o *overwriter) run(ctx context.Context, names []string) error {
	if len(o.rules) == 0 {
		return cli.Usage("missing --replace FROM=TO")
	}
	v, err := o.loadMerged(ctx, o.vector)
	if err != nil {
		return err
	}
	if err := o.checkNames(v, names); err != nil {
		return err
	}
	var images []string
	for _, s := range v.Sources() {
		images = append(images, s.Reference())
	}
	o.warnUnused(o.rules, images)
	entries, unmatched := v.Rewrite(o.rules)
	if len(names) > 0 {
		other := func(s imagevector.Source) bool { return !slices.Contains(names, s.Name) }
		entries, unmatched = slices.DeleteFunc(entries, other), slices.DeleteFunc(unmatched, other)
	}
	bundle, err := o.bundle(ctx)
	if err != nil {
		return err
	}
	text := imagevector.Render(comment(o.vector, o.rules), entries, bundle)
	// The overwrite must pass strict reading.
	if _, err := imagevector.Parse(text, imagevector.AsOverwrite(), imagevector.WithGeneration(v.Generation())); err != nil {
		return fmt.Errorf("writing overwrite: %w", err)
	}
	if o.json {
		var b bytes.Buffer
		if err := printJSON(&b, map[string]any{"images": list(entries), "unmatched": list(unmatched), "caBundle": bundle}); err != nil {
			return err
		}
		text = b.Bytes()
	}
	if err := o.write(text); err != nil {
		return err
	}
	for _, s := range unmatched {
		fmt.Fprintf(o.env.Err, "warning: no rule matches %s of %q\n", s.Reference(), s.Name)
	}
	if o.all && len(unmatched) > 0 {
		return errViolation()
	}
	return nil
}

// bundle returns the certificates of --ca, nil without the flag.
func (o *overwriter) bundle(ctx context.Context) (*imagevector.CABundle, error) {
	if o.ca == "" {
		return nil, nil
	}
	text, err := o.read(ctx, o.ca)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	pem := string(text)
	return &imagevector.CABundle{Inline: &pem}, nil
}

func (o *overwriter) write(text []byte) error {
	if o.output == "" {
		_, err := o.env.Out.Write(text)
		return err
	}
	return atomic.WriteFile(o.env.Path(o.output), text)
}

// warnUnused warns of rules that match no image, which may be typing errors.
func (in *input) warnUnused(rules imagevector.Rules, images []string) {
	for _, r := range rules.Unused(images) {
		fmt.Fprintf(in.env.Err, "warning: rule %s=%s matches no image\n", r.From, r.To)
	}
}

// list returns sources such that JSON has an empty list for none.
func list(sources []imagevector.Source) []imagevector.Source {
	return append([]imagevector.Source{}, sources...)
}

// comment returns the comment at the top of an overwrite.
func comment(vector string, rules imagevector.Rules) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Overwrite of %s. Each entry has the name, constraints and architectures of\nthe entry that it replaces. Do not change them: they are compared as text.\n", filepath.Base(vector))
	for _, r := range rules {
		fmt.Fprintf(&b, "  %s -> %s\n", r.From, r.To)
	}
	return b.String()
}
