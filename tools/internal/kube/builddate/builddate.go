// Package builddate keeps what upstream stamped into its binaries and no
// module tells: the wall clock of each phase of a release's build, and the
// commit where the module proxy does not name it.
package builddate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/versions"
)

// File is where the dates lie, from the root of the repository.
const File = "versions/builddates.json"

// Ways a date or a commit was learned.
const (
	Reports = "reports" // public reports of what a binary says of itself
	Proxy   = "proxy"   // the module proxy's answer
	Search  = "search"  // found by trying; a build with it has the official sha256
)

// Learned is a moment and how it is known.
type Learned struct {
	Date time.Time `json:"date"` // UTC, whole seconds
	How  string    `json:"how"`  // Reports, Proxy or Search
	// Sightings is the number of independent reports; 0 unless How is Reports.
	Sightings int `json:"sightings,omitempty"`
}

// Release is what is known of one version's build.
type Release struct {
	Version    versions.Version
	Commit     string // 40 hexadecimal digits
	CommitHow  string
	CommitTime Learned            // zero: not known
	Phases     map[string]Learned // by the phase's name: "server", "node", "client"
}

// With returns the release with what a search found: when a phase was built,
// and of what moment the commit is. What is known already stays as it was learned.
func (r Release) With(phase string, built, commit time.Time) Release {
	if !r.CommitTime.Date.Equal(commit) {
		r.CommitTime = Learned{Date: commit, How: Search}
	}
	if !r.Phases[phase].Date.Equal(built) {
		r = r.Learn(phase, Learned{Date: built, How: Search})
	}
	return r
}

// Learn returns the release with the date of a phase.
func (r Release) Learn(phase string, l Learned) Release {
	phases := map[string]Learned{phase: l}
	for name, other := range r.Phases {
		if name != phase {
			phases[name] = other
		}
	}
	r.Phases = phases
	return r
}

// Dates are all releases that something is known of.
type Dates struct{ releases map[versions.Version]Release }

// Release returns what is known of a version; the zero Release if nothing is.
func (d *Dates) Release(v versions.Version) Release {
	r := d.releases[v]
	r.Version = v
	return r
}

// Set replaces what is known of a version.
func (d *Dates) Set(r Release) { d.releases[r.Version] = r }

// Releases lists all, by version.
func (d *Dates) Releases() []Release {
	all := make([]Release, 0, len(d.releases))
	for _, r := range d.releases {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Release) int { return a.Version.Compare(b.Version) })
	return all
}

// entry is a release as the file has it.
type entry struct {
	Version string `json:"version"`
	Commit  *struct {
		Hash string `json:"hash"`
		How  string `json:"how"`
	} `json:"commit,omitempty"`
	CommitTime *Learned           `json:"commitTime,omitempty"`
	Phases     map[string]Learned `json:"phases,omitempty"`
}

// Parse reads the file. The error names every fault.
func Parse(name string, data []byte) (*Dates, error) {
	var file struct {
		Schema   int     `json:"schema"`
		Releases []entry `json:"releases"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading build dates %q: %w", name, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading build dates %q: more follows after the end", name)
	}
	if file.Schema != 1 {
		return nil, fmt.Errorf("reading build dates %q: schema: want 1, the only one that this program knows, got %d", name, file.Schema)
	}
	d := &Dates{releases: map[versions.Version]Release{}}
	var errs []error
	for i, e := range file.Releases {
		r, err := e.release()
		if err == nil && d.releases[r.Version].Version == r.Version {
			err = errors.New("version: stands twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: releases[%d] (%q): %w", name, i, e.Version, err))
			continue
		}
		d.Set(r)
	}
	if err := errors.Join(errs...); err != nil {
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
	r := Release{Version: v, Phases: map[string]Learned{}}
	if e.Commit != nil {
		if !commitPattern.MatchString(e.Commit.Hash) {
			errs = append(errs, fmt.Errorf("commit.hash: %q is not 40 hexadecimal digits", e.Commit.Hash))
		}
		if !slices.Contains([]string{Reports, Proxy}, e.Commit.How) {
			errs = append(errs, fmt.Errorf("commit.how: want %q or %q, got %q", Reports, Proxy, e.Commit.How))
		}
		r.Commit, r.CommitHow = e.Commit.Hash, e.Commit.How
	}
	if e.CommitTime != nil {
		errs = append(errs, e.CommitTime.check("commitTime"))
		r.CommitTime = *e.CommitTime
	}
	for phase, l := range e.Phases {
		if !phasePattern.MatchString(phase) {
			errs = append(errs, fmt.Errorf("phases: %q is not a phase's name", phase))
		}
		errs = append(errs, l.check("phases."+phase))
		r.Phases[phase] = l
	}
	return r, errors.Join(errs...)
}

func (l Learned) check(field string) error {
	var errs []error
	if _, offset := l.Date.Zone(); l.Date.IsZero() || l.Date.Nanosecond() != 0 || offset != 0 {
		errs = append(errs, fmt.Errorf("%s.date: want whole seconds of UTC", field))
	}
	if !slices.Contains([]string{Reports, Proxy, Search}, l.How) {
		errs = append(errs, fmt.Errorf("%s.how: want %q, %q or %q, got %q", field, Reports, Proxy, Search, l.How))
	}
	if (l.How == Reports) != (l.Sightings > 0) {
		errs = append(errs, fmt.Errorf("%s.sightings: want a number with %q and none without", field, Reports))
	}
	return errors.Join(errs...)
}

// Format returns the bytes of the file: a line a release, by version.
func (d *Dates) Format() []byte {
	lines := make([]string, 0, len(d.releases))
	for _, r := range d.Releases() {
		e := entry{Version: r.Version.String(), Phases: r.Phases}
		if r.Commit != "" {
			e.Commit = &struct {
				Hash string `json:"hash"`
				How  string `json:"how"`
			}{r.Commit, r.CommitHow}
		}
		if !r.CommitTime.Date.IsZero() {
			e.CommitTime = &r.CommitTime
		}
		line, err := json.Marshal(e)
		if err != nil {
			panic(err) // strings, numbers and dates of four-digit years
		}
		lines = append(lines, "    "+string(line))
	}
	return []byte("{\n  \"schema\": 1,\n  \"releases\": [\n" + strings.Join(lines, ",\n") + "\n  ]\n}\n")
}
