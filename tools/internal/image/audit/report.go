package audit

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Kind is a kind of finding.
type Kind string

// The kinds, in the order of a report.
const (
	Missing     Kind = "missing"      // a tag that should exist
	Changed     Kind = "changed"      // another digest than on record, or than at an earlier audit
	Extra       Kind = "extra"        // a tag that the flavor does not have
	Unsigned    Kind = "unsigned"     // an image without a signature
	WithoutSBOM Kind = "without-sbom" // an image without an SBOM
)

var kinds = []Kind{Missing, Changed, Extra, Unsigned, WithoutSBOM}

// Finding is a violation.
type Finding struct {
	Kind   Kind   `json:"kind"`
	Tag    string `json:"tag"`
	Digest string `json:"digest,omitempty"` // in the registry
	Want   string `json:"want,omitempty"`   // on record, or else at the first audit
	Moves  []Move `json:"moves,omitempty"`  // that audits saw
	Reason string `json:"reason"`
}

// short returns a digest with so many digits as a table has room for.
func short(digest string) string {
	const length = len("sha256:") + 12
	if len(digest) <= length {
		return cmp.Or(digest, "-")
	}
	return digest[:length] + "…"
}

func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.Tag, b.Tag))
}

// Report is the result of an audit.
type Report struct {
	Repository  string    `json:"repository"`
	Flavor      string    `json:"flavor"`
	Time        time.Time `json:"time"` // of the end
	Seconds     float64   `json:"seconds"`
	Tags        int       `json:"tags"`        // in the repository
	Images      int       `json:"images"`      // of the manifest that must exist
	Unrecorded  int       `json:"unrecorded"`  // images without a record
	Unsigned    int       `json:"unsigned"`    // images without a signature
	WithoutSBOM int       `json:"withoutSBOM"` // images without an SBOM
	Attachments int       `json:"attachments"` // tags of signatures and lists of referrers, not checked
	Ignored     int       `json:"ignored"`     // tags that match --ignore
	Resumed     int       `json:"resumed"`     // tags that an interrupted audit has checked
	Findings    []Finding `json:"findings"`
}

// Print prints a report as a table.
func (r Report) Print(w io.Writer) {
	if len(r.Findings) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "FINDING\tTAG\tDIGEST\tWANT\tREASON")
		for _, f := range r.Findings {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", f.Kind, f.Tag, short(f.Digest), short(f.Want), f.Reason)
		}
		t.Flush()
	}
	fmt.Fprintf(w, "%s: %d tags, %d images of flavor %s expected, %d findings in %.1f s\n", r.Repository, r.Tags, r.Images, r.Flavor, len(r.Findings), r.Seconds)
	for _, line := range []struct {
		n    int
		text string
	}{
		{r.Unrecorded, "without a record: only changes since the first audit are found"},
		{r.Unsigned, "without a signature"},
		{r.WithoutSBOM, "without an SBOM"},
		{r.Attachments, "tags belong to attachments, and were not checked"},
		{r.Ignored, "tags match --ignore, and were not checked"},
		{r.Resumed, "tags were checked by an interrupted audit"},
	} {
		if line.n > 0 {
			fmt.Fprintf(w, "  %d %s\n", line.n, line.text)
		}
	}
}
