package vector

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
)

// change is a difference as diff prints it.
type change struct {
	Name         string               `json:"name"`
	Architecture string               `json:"architecture"`
	Lookup       string               `json:"lookup"`
	Runtime      imagevector.Versions `json:"runtime"`
	Target       imagevector.Versions `json:"target"`
	Before       string               `json:"before"` // "" if no image is chosen
	After        string               `json:"after"`
}

func newDiff(env cli.Env) *cobra.Command {
	in := input{env: env}
	c := newCommand(cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare the images that two vectors choose",
		Example: `  hk vector diff --kubernetes 1.33..1.36 old.yaml new.yaml
  hk vector diff --overwrite mine.yaml --json old.yaml new.yaml`,
	}, cobra.ExactArgs(2), func(c *cobra.Command, files []string) error { return in.diff(c.Context(), files[0], files[1]) })
	in.overwriteFlag(c.Flags(), "overwrite `file` to merge into both; repeatable, the last one wins")
	in.formatFlags(c.Flags())
	in.rangeFlags(c.Flags(), "default all")
	return c
}

func (in *input) diff(ctx context.Context, oldFile, newFile string) error {
	within, err := in.versions()
	if err != nil {
		return err
	}
	before, err := in.loadMerged(ctx, oldFile)
	if err != nil {
		return err
	}
	after, err := in.loadMerged(ctx, newFile)
	if err != nil {
		return err
	}
	differences, err := imagevector.Compare(before, after, within, in.architectures, imagevector.LookupModes()...)
	if err != nil {
		return err
	}
	changes := summarize(before.Sources(), after.Sources(), differences)
	if in.json {
		err = printJSON(in.env.Out, changes)
	} else {
		w := tabwriter.NewWriter(in.env.Out, 0, 0, 2, ' ', 0)
		for _, c := range changes {
			where := c.Runtime.String()
			if c.Runtime.Empty() {
				where = c.Target.String()
			}
			if c.Lookup != imagevector.SameVersion.String() {
				where += " " + c.Lookup
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t-> %s\n", c.Name, c.Architecture, where, orNone(c.Before), orNone(c.After))
		}
		err = w.Flush()
	}
	if err == nil && len(changes) > 0 {
		return errViolation()
	}
	return err
}

// summarize returns one change for each pair of images: that of the first lookup
// mode in which they differ, which is the simplest.
func summarize(before, after []imagevector.Source, differences []imagevector.Difference) []change {
	type pair struct {
		name, architecture string
		before, after      int
	}
	seen := map[pair]bool{}
	changes := []change{}
	for _, d := range differences {
		p := pair{d.Name, d.Architecture, d.Before, d.After}
		if seen[p] {
			continue
		}
		seen[p] = true
		c := change{Name: d.Name, Architecture: d.Architecture, Lookup: d.Mode.String(), Runtime: d.Runtime, Target: d.Target}
		if d.Before >= 0 {
			c.Before = before[d.Before].Reference()
		}
		if d.After >= 0 {
			c.After = after[d.After].Reference()
		}
		changes = append(changes, c)
	}
	return changes
}
