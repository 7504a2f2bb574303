package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// change is a difference as diff prints it.
type change struct {
	Name         string               `json:"name"`
	Architecture string               `json:"architecture"`
	LookedUp     string               `json:"lookedUp"`
	Runtime      imagevector.Versions `json:"runtime"`
	Target       imagevector.Versions `json:"target"`
	Before       string               `json:"before"` // "" if nothing is chosen
	After        string               `json:"after"`
}

func diff(_ context.Context, env cli.Env) error {
	in := input{env: env}
	fs := flag.NewFlagSet("imagevector diff OLD NEW", flag.ContinueOnError)
	in.flagOverwrite(fs, "an overwrite laid over both, a `file`; repeatable, the last one wins")
	in.flagReading(fs)
	in.flagRange(fs, "without it, all")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if fs.NArg() != 2 {
		return cli.Usage("want two files: OLD NEW")
	}
	asked, err := in.versions()
	if err != nil {
		return err
	}
	before, err := in.merged(fs.Arg(0))
	if err != nil {
		return err
	}
	after, err := in.merged(fs.Arg(1))
	if err != nil {
		return err
	}
	differences, err := imagevector.Compare(before, after, asked, in.architectures, imagevector.Shapes()...)
	if err != nil {
		return err
	}
	changes := describeChanges(before.Sources(), after.Sources(), differences)
	if in.json {
		err = printJSON(env.Out, changes)
	} else {
		w := tabwriter.NewWriter(env.Out, 0, 0, 2, ' ', 0)
		for _, c := range changes {
			where := fmt.Sprintf("%v", c.Runtime)
			if c.Runtime.Empty() {
				where = fmt.Sprintf("%v", c.Target)
			}
			if c.LookedUp != imagevector.SameVersion.String() {
				where += " " + c.LookedUp
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t-> %s\n", c.Name, c.Architecture, where, orNothing(c.Before), orNothing(c.After))
		}
		err = w.Flush()
	}
	if err == nil && len(changes) > 0 {
		return violation(nil)
	}
	return err
}

// describeChanges keeps of each pair of images the plainest way to look it up:
// what differs there differs in the others too.
func describeChanges(before, after []imagevector.Source, differences []imagevector.Difference) []change {
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
		c := change{Name: d.Name, Architecture: d.Architecture, LookedUp: d.Shape.String(), Runtime: d.Runtime, Target: d.Target}
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

func orNothing(image string) string {
	if image == "" {
		return "nothing"
	}
	return image
}
