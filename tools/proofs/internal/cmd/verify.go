package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/proofs"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

func newVerify(env cli.Env) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify [VERSION...]",
		Short: "Verify all proofs, without a network",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := open(c, env)
			if err != nil {
				return err
			}
			r, err := s.Report(c.Context())
			if err != nil {
				return err
			}
			if err := selectVersions(&r, args); err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(env.Out)
				e.SetIndent("", " ")
				err = e.Encode(r)
			} else {
				err = printReport(env.Out, r, len(args) > 0)
			}
			if n := r.Contradictions(); err == nil && n > 0 {
				return cli.Exit(cli.ExitDrift, fmt.Errorf("%d contradictions in %s", n, proofs.Dir))
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the result in JSON")
	return c
}

// selectVersions removes all other versions from a report, if there are names of
// versions.
func selectVersions(r *proofs.Report, names []string) error {
	if len(names) == 0 {
		return nil
	}
	for _, name := range names {
		v, err := versions.ParseVersion(name)
		if err != nil {
			return cli.Usage("%w", err)
		}
		if !slices.ContainsFunc(r.Files, func(f proofs.File) bool { return f.Version == v }) {
			return cli.Usage("%s has no files of %s that upstream could sign", versions.LockFile, name)
		}
	}
	r.Files = slices.DeleteFunc(r.Files, func(f proofs.File) bool { return !slices.Contains(names, f.Version.String()) })
	r.Unexpected = slices.DeleteFunc(r.Unexpected, func(name string) bool {
		version, _, _ := strings.Cut(strings.TrimPrefix(name, proofs.Dir+"/"), "/")
		return !slices.Contains(names, version)
	})
	return nil
}

// printReport prints a line for each minor version, or for each file, and all
// contradictions.
func printReport(out io.Writer, r proofs.Report, each bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if each {
		fmt.Fprintln(w, "FILE\tSTATUS\tSIGNED\tBY")
		for _, f := range r.Files {
			signed, by := "-", "-"
			if f.Proof != nil {
				signed, by = f.Proof.Time.Format("2006-01-02T15:04:05Z"), f.Proof.Identity
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Key, f.Status, signed, by)
		}
	} else {
		printMinors(w, r)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range r.Files {
		if f.Reason != "" {
			fmt.Fprintf(out, "%s: %s: %s%s\n", f.Status, f.Key, prefix(f.Path), f.Reason)
		}
	}
	for _, name := range r.Unexpected {
		fmt.Fprintf(out, "contradiction: %s: proves no file of %s. Fix: remove it\n", name, versions.LockFile)
	}
	return nil
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

// printMinors prints the number of files of each minor version by status.
func printMinors(w io.Writer, r proofs.Report) {
	statuses := []proofs.Status{proofs.Proven, proofs.Missing, proofs.Unsigned, proofs.KnownMismatch, proofs.Contradiction}
	counts := map[string]map[proofs.Status]int{}
	releases := map[string]map[versions.Version]bool{}
	var minors []string
	for _, f := range r.Files {
		minor := strings.Replace(f.Version.MinorLabel(), "_", ".", 1)
		if counts[minor] == nil {
			counts[minor], releases[minor] = map[proofs.Status]int{}, map[versions.Version]bool{}
			minors = append(minors, minor)
		}
		counts[minor][f.Status]++
		releases[minor][f.Version] = true
	}
	fmt.Fprint(w, "MINOR\tRELEASES\tFILES")
	for _, s := range statuses {
		fmt.Fprint(w, "\t", strings.ToUpper(string(s)))
	}
	fmt.Fprintln(w)
	for _, minor := range minors {
		files := 0
		for _, n := range counts[minor] {
			files += n
		}
		fmt.Fprintf(w, "%s\t%d\t%d", minor, len(releases[minor]), files)
		for _, s := range statuses {
			fmt.Fprintf(w, "\t%d", counts[minor][s])
		}
		fmt.Fprintln(w)
	}
}
