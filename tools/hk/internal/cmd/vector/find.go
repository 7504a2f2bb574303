package vector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
)

// finding is the result of find for one name.
type finding struct {
	Name         string                `json:"name"`
	Architecture string                `json:"architecture,omitempty"`
	Kubernetes   *imagevector.Versions `json:"kubernetes,omitempty"`
	Image        string                `json:"image"`
	Parts        *imagevector.Image    `json:"parts,omitempty"`
	Entry        string                `json:"entry,omitempty"` // position of the chosen entry
	Candidates   []candidate           `json:"candidates,omitempty"`
}

// candidate is an entry as --explain prints it.
type candidate struct {
	Entry string `json:"entry"` // position
	imagevector.Candidate
}

// finder has the flags of find.
type finder struct {
	input
	runtime, target, arch string
	explain               bool
}

func newFind(env cli.Env) *cobra.Command {
	f := finder{input: input{env: env}}
	c := newCommand(cobra.Command{
		Use:   "find [NAME...]",
		Short: "Print the image that is chosen, and with --explain the reason",
		Example: `  hk vector find --vector images.yaml --kubernetes 1.36.0 --explain pause-container
  hk vector find --vector images.yaml --overwrite mine.yaml --kubernetes 1.30..1.36`,
	}, cobra.ArbitraryArgs, func(c *cobra.Command, names []string) error { return f.run(c.Context(), names) })
	fs := c.Flags()
	f.vectorFlags(fs)
	f.formatFlags(fs)
	fs.StringVar(&f.kubernetes, "kubernetes", "", "Kubernetes `version` as both runtime and target version; a range such as 1.30..1.36 prints each part of it that chooses another image")
	fs.StringVar(&f.runtime, "runtime", "", "Kubernetes `version` that the image runs on, if it differs from the target version")
	fs.StringVar(&f.target, "target", "", "Kubernetes `version` that the image works for, if it differs from the runtime version")
	fs.StringVar(&f.arch, "arch", "", "`architecture` (default amd64)")
	fs.BoolVar(&f.explain, "explain", false, "print every entry of the name with its score")
	return c
}

func (f *finder) run(ctx context.Context, names []string) error {
	if f.arch != "" && !f.compatible {
		if err := checkArchitecture(f.arch); err != nil {
			return cli.Usage("--arch: %v", err)
		}
	}
	var within imagevector.Versions
	if one := f.kubernetes; one != "" {
		if f.runtime != "" || f.target != "" {
			return cli.Usage("--kubernetes sets --runtime and --target: remove it or them")
		}
		// The suffix of a version only affects the tag.
		if i := strings.IndexAny(one, "-+~"); i >= 0 && !strings.Contains(one, ",") && !strings.Contains(one, "..") {
			f.kubernetes = one[:i]
		}
		var err error
		if within, err = f.versions(); err != nil {
			return err
		}
		if _, single := within.Single(); single {
			within, f.runtime, f.target = imagevector.Versions{}, one, one
		} else if f.explain {
			return cli.Usage("--explain needs a single version, got %s", within)
		}
	}
	v, err := f.loadMerged(ctx, f.vector)
	if err != nil {
		return err
	}
	if err := f.checkNames(v, names); err != nil {
		return err
	}
	all := len(names) == 0
	if all {
		names = v.Names()
	}
	if !within.Empty() {
		return f.print(f.findRange(v, names, within))
	}
	found, err := f.find(v, names, all || f.explain)
	if err != nil {
		return err
	}
	return f.print(found)
}

// find returns the image of each name for one pair of versions. A name without
// image is an error unless allowed.
func (f *finder) find(v *imagevector.Vector, names []string, allowMissing bool) ([]finding, error) {
	var opts []imagevector.FindOption
	if f.runtime != "" {
		opts = append(opts, imagevector.RuntimeVersion(f.runtime))
	}
	if f.target != "" {
		opts = append(opts, imagevector.TargetVersion(f.target))
	}
	if f.arch != "" {
		opts = append(opts, imagevector.Architecture(f.arch))
	}
	found := []finding{}
	for _, name := range names {
		one := finding{Name: name, Architecture: f.arch}
		image, err := v.Find(name, opts...)
		if _, missing := errors.AsType[*imagevector.NotFoundError](err); err != nil && (!missing || !allowMissing) {
			return nil, err
		}
		if err == nil {
			one.Image, one.Parts = image.String(), &image
		}
		candidates, err := v.Explain(name, opts...)
		if err != nil {
			return nil, err
		}
		for _, c := range candidates {
			at := position(c.Source, c.Index)
			if c.Chosen {
				one.Entry = at
			}
			if f.explain {
				one.Candidates = append(one.Candidates, candidate{at, c})
			}
		}
		found = append(found, one)
	}
	return found, nil
}

// findRange returns the images that are chosen within a range of versions.
func (f *finder) findRange(v *imagevector.Vector, names []string, within imagevector.Versions) []finding {
	arch := f.arch
	if arch == "" {
		arch = "amd64"
	}
	sources := v.Sources()
	found := []finding{}
	for _, name := range names {
		for _, c := range v.Choices(name, arch, within) {
			one := finding{Name: name, Architecture: arch, Kubernetes: &c.Versions}
			if c.Entry >= 0 {
				one.Image, one.Entry = sources[c.Entry].Reference(), position(sources[c.Entry], c.Entry)
			}
			found = append(found, one)
		}
	}
	return found
}

func position(s imagevector.Source, index int) string {
	if s.Position.Line == 0 {
		return fmt.Sprintf("images[%d]", index)
	}
	return s.Position.String()
}

func (f *finder) print(found []finding) error {
	if f.json {
		return printJSON(f.env.Out, found)
	}
	w := tabwriter.NewWriter(f.env.Out, 0, 0, 2, ' ', 0)
	for _, one := range found {
		line := []string{one.Name}
		if one.Kubernetes != nil {
			line = append(line, one.Architecture, one.Kubernetes.String())
		}
		fmt.Fprintln(w, strings.Join(append(line, orNone(one.Image)), "\t"))
		for _, c := range one.Candidates {
			mark := " "
			if c.Chosen {
				mark = "*"
			}
			if c.Matches {
				fmt.Fprintf(w, "  %s %s\tscore %d = runtime %d + target %d + architecture %d\t%s\n", mark, c.Entry, c.Score, c.RuntimeScore, c.TargetScore, c.ArchitectureScore, c.Source.Reference())
			} else {
				fmt.Fprintf(w, "  %s %s\tdoes not match: %s\n", mark, c.Entry, c.Reason)
			}
		}
	}
	return w.Flush()
}

// orNone returns an image as it is printed, where "" is none.
func orNone(image string) string {
	if image == "" {
		return "no image"
	}
	return image
}
