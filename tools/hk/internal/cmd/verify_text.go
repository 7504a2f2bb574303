package cmd

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/identify"
	"github.com/hyperkube/hyperkube/tools/internal/image/inspect"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
)

// printReport prints the files of each platform of each image.
func printReport(w io.Writer, r inspect.Report) {
	for _, image := range r.Images {
		name := httplimit.Escape(cmp.Or(strings.Join(image.Names, ", "), r.Source))
		fmt.Fprintln(w, strings.TrimSpace(name+" "+image.Digest)+onRecord(image.Recorded))
		for _, p := range image.Platforms {
			printPlatform(w, p)
		}
		if len(image.Skipped) > 0 {
			fmt.Fprintf(w, "%d manifests are no images, such as attestations\n", len(image.Skipped))
		}
	}
}

func onRecord(names []string) string {
	if len(names) == 0 {
		return ", not on record"
	}
	return ", on record as " + strings.Join(names, ", ")
}

func printPlatform(w io.Writer, p inspect.Platform) {
	state := onRecord(p.Recorded)
	if len(p.Recorded) == 0 && len(p.SameLayers) > 0 {
		state = ", with the layers of " + strings.Join(p.SameLayers, ", ")
	}
	fmt.Fprintln(w, httplimit.Escape(p.Platform), cmp.Or(p.Manifest, "config "+p.Config)+state)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range p.Files {
		fmt.Fprintf(t, "  %s\t%d\t%s\t%s\n", httplimit.Escape(f.Path), f.Size, f.SHA256, httplimit.Escape(describeFile(f)))
	}
	t.Flush()
	if n := p.Others.Files; n > 0 {
		fmt.Fprintf(w, "  %d other files of %d bytes, %d of them in ELF format\n", n, p.Others.Bytes, p.Others.ELF)
	}
}

// describeFile returns the verdict and its reasons.
func describeFile(f inspect.File) string {
	text := []string{string(f.Verdict)}
	if f.Pin != nil {
		text[0] += " " + f.Pin.Key
		if r := f.Pin.Rebuild; r != nil && r.Outcome == results.Matched {
			text = append(text, "rebuilt from source")
		}
	} else if p := f.Program; p != nil && p.Package != "" {
		text[0] += strings.TrimRight(" "+p.Package+" "+p.Version, " ")
	}
	if f.Verdict != identify.Official && f.Verdict != identify.Pinned {
		text = append(text, f.Notes...)
	}
	if f.Hidden {
		text = append(text, "replaced or removed by a higher layer")
	}
	if len(f.Links) > 0 {
		text = append(text, "hard links "+strings.Join(f.Links, ", "))
	}
	return strings.Join(text, "; ")
}
