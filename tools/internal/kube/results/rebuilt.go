// Package results keeps what came of rebuilding official binaries, and makes
// the table of it that people read.
package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// File is where the results lie, from the root of the repository.
const File = "versions/rebuilt.json"

// What came of a rebuild.
const (
	Matched     = "matched"     // it has the official sha256
	Differs     = "differs"     // it was built and has another
	Unbuildable = "unbuildable" // it could not be built on the machine that tried
)

// Result is what came of rebuilding one binary, on the machine that last did.
type Result struct {
	Version   versions.Version
	Platform  versions.Platform
	Binary    string
	Outcome   string
	SHA256    versions.Digest // what was built; zero if nothing was
	Why       string          // why it could not be built
	Lacks     string          // the phase whose build date was missing then
	Toolchain string          // "go1.26.2"
	System    string          // what it was built on: "host", or Debian's "bullseye"
	Compiler  string          // the C compiler, if it had a hand in it: "gcc-10 10.2.1-6"
	Commit    string
	Seconds   int      // wall time of the go command
	PeakMiB   int      // memory of all its processes at once
	With      []string // all binaries that the go command built
}

// entry is a result as the file has it.
type entry struct {
	Version   string   `json:"version"`
	Platform  string   `json:"platform"`
	Binary    string   `json:"binary"`
	Outcome   string   `json:"outcome"`
	SHA256    string   `json:"sha256,omitempty"`
	Why       string   `json:"why,omitempty"`
	Lacks     string   `json:"lacks,omitempty"`
	Toolchain string   `json:"toolchain,omitempty"`
	System    string   `json:"system,omitempty"`
	Compiler  string   `json:"compiler,omitempty"`
	Commit    string   `json:"commit,omitempty"`
	Seconds   int      `json:"seconds,omitempty"`
	PeakMiB   int      `json:"peakMiB,omitempty"`
	With      []string `json:"with,omitempty"`
}

// Key names a result.
type Key struct {
	Version  versions.Version
	Platform versions.Platform
	Binary   string
}

// Results are all results, one a key.
type Results struct{ byKey map[Key]Result }

// Get returns a result.
func (r *Results) Get(k Key) (Result, bool) {
	result, ok := r.byKey[k]
	return result, ok
}

// Set adds a result or replaces the one of its key.
func (r *Results) Set(result Result) {
	r.byKey[Key{result.Version, result.Platform, result.Binary}] = result
}

// All lists the results by version, platform and binary.
func (r *Results) All() []Result {
	all := make([]Result, 0, len(r.byKey))
	for _, result := range r.byKey {
		all = append(all, result)
	}
	slices.SortFunc(all, func(a, b Result) int {
		return cmp.Or(a.Version.Compare(b.Version), cmp.Compare(a.Platform.String(), b.Platform.String()), cmp.Compare(a.Binary, b.Binary))
	})
	return all
}

// Parse reads the file. The error names every fault.
func Parse(name string, data []byte) (*Results, error) {
	var file struct {
		Schema  int     `json:"schema"`
		Results []entry `json:"results"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading results %q: %w", name, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading results %q: more follows after the end", name)
	}
	if file.Schema != 1 {
		return nil, fmt.Errorf("reading results %q: schema: want 1, the only one that this program knows, got %d", name, file.Schema)
	}
	r := &Results{map[Key]Result{}}
	var errs []error
	for i, e := range file.Results {
		result, err := e.result()
		if _, twice := r.Get(Key{result.Version, result.Platform, result.Binary}); err == nil && twice {
			err = errors.New("stands twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: results[%d]: %w", name, i, err))
			continue
		}
		r.Set(result)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

func (e entry) result() (Result, error) {
	r := Result{
		Binary: e.Binary, Outcome: e.Outcome, Why: e.Why, Lacks: e.Lacks, Toolchain: e.Toolchain, System: e.System, Compiler: e.Compiler,
		Commit: e.Commit, Seconds: e.Seconds, PeakMiB: e.PeakMiB, With: e.With,
	}
	var errs []error
	var err error
	r.Version, err = versions.ParseVersion(e.Version)
	errs = append(errs, err)
	r.Platform, err = versions.ParsePlatform(e.Platform)
	errs = append(errs, err)
	if e.Binary == "" {
		errs = append(errs, errors.New("binary: is empty"))
	}
	built := e.Outcome == Matched || e.Outcome == Differs
	if !built && e.Outcome != Unbuildable {
		errs = append(errs, fmt.Errorf("outcome: want %q, %q or %q, got %q", Matched, Differs, Unbuildable, e.Outcome))
	}
	if built || e.SHA256 != "" {
		r.SHA256, err = versions.ParseDigest(e.SHA256)
		errs = append(errs, err)
	}
	if built == (e.Why != "") {
		errs = append(errs, fmt.Errorf("why: want the reason with %q and none without", Unbuildable))
	}
	return r, errors.Join(errs...)
}

// Format returns the bytes of the file: a line a result.
func (r *Results) Format() []byte {
	lines := make([]string, 0, len(r.byKey))
	for _, result := range r.All() {
		line, err := json.Marshal(entry{
			result.Version.String(), result.Platform.String(), result.Binary, result.Outcome, result.SHA256.String(), result.Why, result.Lacks,
			result.Toolchain, result.System, result.Compiler, result.Commit, result.Seconds, result.PeakMiB, result.With,
		})
		if err != nil {
			panic(err) // strings and numbers: cannot fail
		}
		lines = append(lines, "    "+string(line))
	}
	body := strings.Join(lines, ",\n")
	if body != "" {
		body = "\n" + body + "\n  "
	}
	return []byte("{\n  \"schema\": 1,\n  \"results\": [" + body + "]\n}\n")
}
