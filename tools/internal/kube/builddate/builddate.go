// Package builddate holds the timestamps and commits that upstream stamped into
// its binaries. The build date of a phase is the wall clock of upstream's build
// and cannot be derived from the sources. The module proxy names the commit of
// about half of the versions only.
package builddate

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/jsonlist"
	"github.com/hyperkube/hyperkube/versions"
)

// File is the path of the build dates, from the root of a checkout.
const File = "versions/builddates.json"

// Sources of a timestamp or a commit.
const (
	Reports = "reports" // public reports that quote a binary's version output
	Proxy   = "proxy"   // the module proxy
	Search  = "search"  // found by search; a build with it has the official sha256
)

// Timestamp is a point in time and its source.
type Timestamp struct {
	Date   time.Time `json:"date"` // UTC, whole seconds
	Source string    `json:"source"`
	// Reports counts the independent reports; 0 unless the source is [Reports].
	Reports int `json:"reports,omitempty"`
}

// Commit is the hash of a commit, 40 hexadecimal digits, and its source.
type Commit struct {
	Hash   string `json:"hash"`
	Source string `json:"source"`
}

// Release has the known values of the build of one version. Unknown values are
// zero.
type Release struct {
	Version    versions.Version     `json:"version"`
	Commit     Commit               `json:"commit,omitzero"`
	CommitTime Timestamp            `json:"commitTime,omitzero"`
	Phases     map[string]Timestamp `json:"phases,omitempty"` // build dates by phase: "server", "node", "client"
}

// With returns the release with the result of a search. Values that the search
// confirms keep their source.
func (r Release) With(phase string, build, commit time.Time) Release {
	if !r.CommitTime.Date.Equal(commit) {
		r.CommitTime = Timestamp{Date: commit, Source: Search}
	}
	if !r.Phases[phase].Date.Equal(build) {
		r = r.WithPhase(phase, Timestamp{Date: build, Source: Search})
	}
	return r
}

// WithPhase returns the release with the build date of a phase.
func (r Release) WithPhase(phase string, t Timestamp) Release {
	phases := map[string]Timestamp{}
	maps.Copy(phases, r.Phases)
	phases[phase] = t
	r.Phases = phases
	return r
}

// Dates has the releases with known values.
type Dates map[versions.Version]Release

// Release returns the release of a version. If nothing is known, only the version
// is set.
func (d Dates) Release(v versions.Version) Release {
	r := d[v]
	r.Version = v
	return r
}

// Releases lists all releases by version.
func (d Dates) Releases() []Release {
	return slices.SortedFunc(maps.Values(d), func(a, b Release) int { return a.Version.Compare(b.Version) })
}

// Parse parses and validates a file. The error reports every invalid release.
func Parse(name string, data []byte) (Dates, error) {
	return jsonlist.Parse(name, "releases", data, func(r Release) versions.Version { return r.Version }, Release.validate)
}

// Format returns the bytes of a file, with the releases ordered by version.
func (d Dates) Format() []byte { return jsonlist.Format("releases", d.Releases()) }

var (
	commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
	phasePattern  = regexp.MustCompile(`^[a-z]+$`)
)

func (r Release) validate() error {
	var errs []error
	if r.Version == (versions.Version{}) {
		errs = append(errs, errors.New("version: missing"))
	}
	if r.Commit != (Commit{}) {
		if !commitPattern.MatchString(r.Commit.Hash) {
			errs = append(errs, fmt.Errorf("commit.hash: want 40 hexadecimal digits, got %q", r.Commit.Hash))
		}
		if !slices.Contains([]string{Reports, Proxy}, r.Commit.Source) {
			errs = append(errs, fmt.Errorf("commit.source: want %q or %q, got %q", Reports, Proxy, r.Commit.Source))
		}
	}
	if r.CommitTime != (Timestamp{}) {
		errs = append(errs, r.CommitTime.validate("commitTime"))
	}
	for phase, t := range r.Phases {
		if !phasePattern.MatchString(phase) {
			errs = append(errs, fmt.Errorf("phases: invalid phase name %q", phase))
		}
		errs = append(errs, t.validate("phases."+phase))
	}
	return errors.Join(errs...)
}

func (t Timestamp) validate(field string) error {
	var errs []error
	if _, offset := t.Date.Zone(); t.Date.IsZero() || t.Date.Nanosecond() != 0 || offset != 0 {
		errs = append(errs, fmt.Errorf("%s.date: want whole seconds in UTC", field))
	}
	if !slices.Contains([]string{Reports, Proxy, Search}, t.Source) {
		errs = append(errs, fmt.Errorf("%s.source: want %q, %q or %q, got %q", field, Reports, Proxy, Search, t.Source))
	}
	if (t.Source == Reports) != (t.Reports > 0) {
		errs = append(errs, fmt.Errorf("%s.reports: want a positive number with source %q and none with others", field, Reports))
	}
	return errors.Join(errs...)
}
