// Package builddate holds the timestamps and commits that upstream stamped into
// its binaries. The build date of a phase is the wall clock of upstream's build
// and cannot be derived from the sources. The module proxy names the commit of
// about half of the versions only.
package builddate

import (
	"errors"
	"fmt"
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

// Release is what is known about the build of one version.
type Release struct {
	Version      versions.Version
	Commit       string // 40 hexadecimal digits, "" if unknown
	CommitSource string
	CommitTime   Timestamp            // zero if unknown
	Phases       map[string]Timestamp // build dates by phase: "server", "node", "client"
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
	phases := map[string]Timestamp{phase: t}
	for name, other := range r.Phases {
		if name != phase {
			phases[name] = other
		}
	}
	r.Phases = phases
	return r
}

// Dates are the releases of which something is known.
type Dates struct{ releases map[versions.Version]Release }

// Release returns what is known about a version. If nothing is known, only the
// version is set.
func (d *Dates) Release(v versions.Version) Release {
	r := d.releases[v]
	r.Version = v
	return r
}

// Set adds or replaces a release.
func (d *Dates) Set(r Release) { d.releases[r.Version] = r }

// Releases lists all releases by version.
func (d *Dates) Releases() []Release {
	all := make([]Release, 0, len(d.releases))
	for _, r := range d.releases {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Release) int { return a.Version.Compare(b.Version) })
	return all
}

// entry is the JSON form of a release.
type entry struct {
	Version    string               `json:"version"`
	Commit     *commit              `json:"commit,omitempty"`
	CommitTime *Timestamp           `json:"commitTime,omitempty"`
	Phases     map[string]Timestamp `json:"phases,omitempty"`
}

type commit struct {
	Hash   string `json:"hash"`
	Source string `json:"source"`
}

// Parse parses and validates a file. The error reports every invalid release.
func Parse(name string, data []byte) (*Dates, error) {
	d := &Dates{releases: map[versions.Version]Release{}}
	err := jsonlist.Parse(name, "releases", data, func(e entry) error {
		r, err := e.release()
		if err == nil && d.releases[r.Version].Version == r.Version {
			err = errors.New("version: duplicate")
		}
		if err != nil {
			return fmt.Errorf("%q: %w", e.Version, err)
		}
		d.Set(r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

var (
	commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
	phasePattern  = regexp.MustCompile(`^[a-z]+$`)
)

func (e entry) release() (Release, error) {
	v, err := versions.ParseVersion(e.Version)
	errs := []error{err}
	r := Release{Version: v, Phases: map[string]Timestamp{}}
	if e.Commit != nil {
		if !commitPattern.MatchString(e.Commit.Hash) {
			errs = append(errs, fmt.Errorf("commit.hash: want 40 hexadecimal digits, got %q", e.Commit.Hash))
		}
		if !slices.Contains([]string{Reports, Proxy}, e.Commit.Source) {
			errs = append(errs, fmt.Errorf("commit.source: want %q or %q, got %q", Reports, Proxy, e.Commit.Source))
		}
		r.Commit, r.CommitSource = e.Commit.Hash, e.Commit.Source
	}
	if e.CommitTime != nil {
		errs = append(errs, e.CommitTime.validate("commitTime"))
		r.CommitTime = *e.CommitTime
	}
	for phase, t := range e.Phases {
		if !phasePattern.MatchString(phase) {
			errs = append(errs, fmt.Errorf("phases: invalid phase name %q", phase))
		}
		errs = append(errs, t.validate("phases."+phase))
		r.Phases[phase] = t
	}
	return r, errors.Join(errs...)
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

// Format returns the bytes of a file, with the releases ordered by version.
func (d *Dates) Format() []byte {
	entries := make([]entry, 0, len(d.releases))
	for _, r := range d.Releases() {
		e := entry{Version: r.Version.String(), Phases: r.Phases}
		if r.Commit != "" {
			e.Commit = &commit{r.Commit, r.CommitSource}
		}
		if !r.CommitTime.Date.IsZero() {
			e.CommitTime = &r.CommitTime
		}
		entries = append(entries, e)
	}
	return jsonlist.Format("releases", entries)
}
