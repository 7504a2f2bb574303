package cmd

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/identify"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
)

// maxImages is the number of images that a text lists for a file.
const maxImages = 6

func printAnswers(w io.Writer, answers []identify.Answer) {
	for i, a := range answers {
		if i > 0 {
			fmt.Fprintln(w)
		}
		printAnswer(w, a, "")
	}
}

func printAnswer(w io.Writer, a identify.Answer, indent string) {
	// The text of a file or a path may have control characters.
	field := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s  %-12s %s\n", indent, name, httplimit.Escape(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintf(w, "%s%s: %s\n", indent, httplimit.Escape(cmp.Or(a.Input, "content")), headline(a))
	for _, note := range a.Notes {
		field("note", "%s", note)
	}
	if a.File != nil {
		field("sha256", "%s", a.File.SHA256)
		field("size", "%d bytes, %s", a.File.Size, a.File.Format)
		if p := a.File.Program; p != nil && *p != (identify.Program{}) {
			printProgram(field, *p)
		}
	}
	for _, d := range a.Documents {
		field(d.Kind, "%s", strings.TrimSpace(fmt.Sprintf("%s of %s %s", d.Digest, d.Image, d.Platform)))
	}
	for _, p := range a.Pins {
		if a.Verdict == identify.Recorded || a.Verdict == identify.Declared {
			field("file", "%s at %s", p.Key, p.Images[0].Path)
		} else {
			printPin(field, "pin", p, a.File == nil)
		}
	}
	if a.Nearest != nil {
		printPin(field, "nearest pin", *a.Nearest, true)
	}
	if a.Compressed != nil {
		printAnswer(w, *a.Compressed, indent+"  ")
	}
}

// headline returns the verdict, and what the input is.
func headline(a identify.Answer) string {
	text := string(a.Verdict)
	switch {
	case a.Verdict == identify.Pinned:
		text = "pinned, not published by upstream"
	case a.Verdict == identify.Differs && a.File.Truncated():
		text = "not official: truncated"
	case a.Verdict == identify.Differs:
		text = "not official: a binary of Kubernetes that is not in the lock"
	}
	if a.File != nil && len(a.Pins) > 0 {
		text += fmt.Sprintf(", %s %s for %s", a.Pins[0].Binary, a.Pins[0].Version, a.Pins[0].Platform)
	}
	return text
}

func printProgram(field func(name, format string, args ...any), p identify.Program) {
	if p.Package != "" {
		field("program", "%s", strings.TrimSpace(fmt.Sprintf("%s %s", p.Package, p.Version)))
	} else if p.Version != "" {
		field("version", "%s", p.Version)
	}
	if p.Platform != "" {
		field("platform", "%s", p.Platform)
	}
	if p.Go != "" || p.BuildDate != "" {
		built := []string{}
		if p.BuildDate != "" {
			built = append(built, p.BuildDate)
		}
		if p.Go != "" {
			built = append(built, "with "+p.Go)
		}
		field("built", "%s", strings.Join(built, " "))
	}
}

// printPin prints a pin, with its sha256 and build date if own is set.
func printPin(field func(name, format string, args ...any), name string, p identify.Pin, own bool) {
	field(name, "%s", p.Key)
	if own {
		size := ""
		if p.Size > 0 {
			size = fmt.Sprintf(", %d bytes", p.Size)
		}
		field("", "sha256 %s%s", p.SHA256, size)
		if p.BuildDate != "" {
			field("built", "%s", p.BuildDate)
		}
	}
	if p.Commit != "" {
		field("commit", "%s", p.Commit)
	}
	if p.URL != "" {
		field("published", "%s", p.URL)
	}
	if p.Official {
		field("rebuilt", "%s", rebuilt(p.Rebuild))
	}
	if p.EndOfLife.Date != "" {
		state := "ended"
		if p.Supported {
			state = "ends"
		}
		field("support", "of %s by upstream %s on %s", p.EndOfLife.Minor, state, p.EndOfLife.Date)
	}
	for i, use := range p.Images {
		if i == maxImages {
			field("", "and %d more; see --json", len(p.Images)-i)
			break
		}
		field("in image", "%s", strings.TrimSpace(fmt.Sprintf("%s at %s %s", use.Image, use.Path, use.Index)))
	}
}

// rebuilt describes the rebuild of an official file from source.
func rebuilt(r *results.Result) string {
	switch {
	case r == nil:
		return "not yet"
	case r.Outcome == results.Matched:
		with := []string{r.Toolchain, r.System}
		if r.Compiler != "" {
			with = append(with, r.Compiler)
		}
		return "from source, same sha256, with " + strings.Join(with, ", ")
	case r.Outcome == results.Differs:
		return "from source, with another sha256: " + r.SHA256.String()
	}
	return "not possible: " + r.Reason
}

func printHost(w io.Writer, h identify.Host) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PATH\tVERSION\tPLATFORM\tVERDICT\tPIN")
	for _, a := range h.Files {
		version, platform, pin := "", "", ""
		if p := a.File.Program; p != nil {
			version, platform = p.Version, p.Platform
		}
		switch {
		case len(a.Pins) > 0:
			pin = a.Pins[0].Key
		case a.Nearest != nil:
			pin = "not " + a.Nearest.Key
		}
		text := string(a.Verdict)
		if len(a.Notes) > 0 {
			text += ": " + a.Notes[0]
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", httplimit.Escape(a.Input), cmp.Or(version, "-"), cmp.Or(platform, "-"), text, cmp.Or(pin, "-"))
	}
	t.Flush()
	fmt.Fprintf(w, "%d files scanned, %d look like Kubernetes\n", h.Scanned, len(h.Files))
	for _, text := range h.Errors {
		fmt.Fprintf(w, "unreadable: %s\n", httplimit.Escape(text))
	}
	if n := h.Unreadable - len(h.Errors); n > 0 {
		fmt.Fprintf(w, "unreadable: %d more\n", n)
	}
}
