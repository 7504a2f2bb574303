package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// finding is what find found for one name.
type finding struct {
	Name         string                `json:"name"`
	Architecture string                `json:"architecture,omitempty"`
	Kubernetes   *imagevector.Versions `json:"kubernetes,omitempty"`
	Image        string                `json:"image"`
	Parts        *imagevector.Image    `json:"parts,omitempty"`
	Entry        string                `json:"entry,omitempty"` // where it stands
	Candidates   []candidate           `json:"candidates,omitempty"`
}

// candidate is a candidate as -explain prints it.
type candidate struct {
	Entry             string             `json:"entry"`
	Source            imagevector.Source `json:"source"`
	Matches           bool               `json:"matches"`
	Chosen            bool               `json:"chosen"`
	Why               string             `json:"why,omitempty"`
	Score             int                `json:"score"`
	RuntimeScore      int                `json:"runtimeScore"`
	TargetScore       int                `json:"targetScore"`
	ArchitectureScore int                `json:"architectureScore"`
}

func find(_ context.Context, env cli.Env) error {
	in := input{env: env}
	fs := flag.NewFlagSet("imagevector find [NAME...]", flag.ContinueOnError)
	in.flagVector(fs)
	in.flagReading(fs)
	fs.StringVar(&in.kubernetes, "kubernetes", "", "the Kubernetes `version`, runtime and target version both; a range such as 1.30..1.36 prints what is chosen for each part of it")
	runtime := fs.String("runtime", "", "the `version` that the image runs on, where it differs")
	target := fs.String("target", "", "the `version` that the image works for, where it differs")
	arch := fs.String("arch", "", "the `architecture` (default: none is named, which means amd64)")
	explain := fs.Bool("explain", false, "print every entry of the name with its score")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if *arch != "" && !in.compatible {
		if err := knownArchitecture(*arch); err != nil {
			return cli.Usage("-arch: %v", err)
		}
	}
	var asked imagevector.Versions
	if one := in.kubernetes; one != "" {
		if *runtime != "" || *target != "" {
			return cli.Usage("-kubernetes stands for -runtime and -target: give it or them")
		}
		// The suffix of a version counts for nothing but the tag.
		if i := strings.IndexAny(one, "-+~"); i >= 0 && !strings.Contains(one, ",") && !strings.Contains(one, "..") {
			in.kubernetes = one[:i]
		}
		var err error
		if asked, err = in.versions(); err != nil {
			return err
		}
		if _, single := asked.Single(); single {
			asked, *runtime, *target = imagevector.Versions{}, one, one
		} else if *explain {
			return cli.Usage("-explain is for one version, not for %s", asked)
		}
	}
	v, err := in.merged(in.vector)
	if err != nil {
		return err
	}
	names, err := in.names(v, fs)
	if err != nil {
		return err
	}
	all := len(names) == 0
	if all {
		names = v.Names()
	}
	if !asked.Empty() {
		return in.findRange(v, names, asked, *arch)
	}
	var opts []imagevector.FindOption
	if *runtime != "" {
		opts = append(opts, imagevector.RuntimeVersion(*runtime))
	}
	if *target != "" {
		opts = append(opts, imagevector.TargetVersion(*target))
	}
	if *arch != "" {
		opts = append(opts, imagevector.Architecture(*arch))
	}
	found := []finding{}
	for _, name := range names {
		f := finding{Name: name, Architecture: *arch}
		image, err := v.Find(name, opts...)
		var none *imagevector.NotFoundError
		if err != nil && (!errors.As(err, &none) || !all && !*explain) {
			return err
		}
		if err == nil {
			f.Image, f.Parts = image.String(), &image
		}
		candidates, err := v.Explain(name, opts...)
		if err != nil {
			return err
		}
		for _, c := range candidates {
			where := position(c.Source, c.Index)
			if c.Chosen {
				f.Entry = where
			}
			if *explain {
				f.Candidates = append(f.Candidates, candidate{
					where, c.Source, c.Matches, c.Chosen, c.Why, c.Score, c.RuntimeScore, c.TargetScore, c.ArchitectureScore,
				})
			}
		}
		found = append(found, f)
	}
	return in.printFound(found)
}

// findRange prints what is chosen for the parts of a range.
func (in *input) findRange(v *imagevector.Vector, names []string, asked imagevector.Versions, arch string) error {
	if arch == "" {
		arch = "amd64"
	}
	sources := v.Sources()
	found := []finding{}
	for _, name := range names {
		for _, c := range v.Choices(name, arch, asked) {
			f := finding{Name: name, Architecture: arch, Kubernetes: &c.Versions}
			if c.Entry >= 0 {
				f.Image, f.Entry = sources[c.Entry].Reference(), position(sources[c.Entry], c.Entry)
			}
			found = append(found, f)
		}
	}
	return in.printFound(found)
}

func position(s imagevector.Source, index int) string {
	if s.Position.Line == 0 {
		return fmt.Sprintf("images[%d]", index)
	}
	return s.Position.String()
}

func (in *input) printFound(found []finding) error {
	if in.json {
		return printJSON(in.env.Out, found)
	}
	w := tabwriter.NewWriter(in.env.Out, 0, 0, 2, ' ', 0)
	for _, f := range found {
		image := f.Image
		if image == "" {
			image = "nothing is chosen"
		}
		line := []string{f.Name}
		if f.Kubernetes != nil {
			line = append(line, f.Architecture, f.Kubernetes.String())
		}
		fmt.Fprintln(w, strings.Join(append(line, image), "\t"))
		for _, c := range f.Candidates {
			mark := " "
			if c.Chosen {
				mark = "*"
			}
			if c.Matches {
				fmt.Fprintf(w, "  %s %s\tscore %d = runtime %d + target %d + architecture %d\t%s\n", mark, c.Entry, c.Score, c.RuntimeScore, c.TargetScore, c.ArchitectureScore, c.Source.Reference())
			} else {
				fmt.Fprintf(w, "  %s %s\tdoes not match: %s\n", mark, c.Entry, c.Why)
			}
		}
	}
	return w.Flush()
}
