// Package endoflife has the end of life of each Kubernetes minor version. The dates
// are those of data/releases/eol.yaml in the repository kubernetes/website, and of
// https://kubernetes.io/releases for minor versions that are still supported there.
package endoflife

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/jsonlist"
	"github.com/hyperkube/hyperkube/versions"
)

// File is the path of the dates, from the root of a checkout.
const File = "versions/endoflife.json"

// Dates has the date of each minor version, "v1.36".
type Dates map[string]Minor

// Minor is a minor version and its last day of support.
type Minor struct {
	Minor string `json:"minor"` // "v1.36"
	Date  string `json:"date"`  // "2027-06-28"
}

var minorPattern = regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)

// Parse parses and validates a file.
func Parse(name string, data []byte) (Dates, error) {
	return jsonlist.Parse(name, "minors", data, func(m Minor) string { return m.Minor }, Minor.validate)
}

func (m Minor) validate() error {
	var errs []error
	if !minorPattern.MatchString(m.Minor) {
		errs = append(errs, fmt.Errorf("minor: want a minor version like v1.36, got %q", m.Minor))
	}
	if _, err := time.Parse(time.DateOnly, m.Date); err != nil {
		errs = append(errs, fmt.Errorf("date: %w", err))
	}
	return errors.Join(errs...)
}

// Of returns the minor version of a version. Its Date is "" if it is not known.
func (d Dates) Of(v versions.Version) Minor {
	text := v.String()
	minor := text[:max(0, strings.LastIndexByte(text, '.'))]
	return Minor{minor, d[minor].Date}
}

// Supported reports whether upstream supports the minor version on a day.
func (m Minor) Supported(day time.Time) bool { return day.UTC().Format(time.DateOnly) <= m.Date }
