// Package results holds the recorded results of rebuilding official binaries
// and renders them as a table.
package results

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/kube/jsonlist"
	"github.com/hyperkube/hyperkube/versions"
)

// File is the path of the results, from the root of a checkout.
const File = "versions/rebuilt.json"

// Outcomes of a rebuild.
const (
	Matched     = "matched"     // built, with the official sha256
	Differs     = "differs"     // built, with another sha256
	Unbuildable = "unbuildable" // not built
)

// Result is the last recorded result of one binary.
type Result struct {
	Version     versions.Version
	Platform    versions.Platform
	Binary      string
	Outcome     string
	SHA256      versions.Digest // of the built binary; zero if there is none
	Reason      string          // why it could not be built
	MissingDate string          // phase whose build date was unknown, if that is the reason
	Toolchain   string          // "go1.26.2"
	System      string          // system of the build: "host", or Debian's "bullseye"
	Compiler    string          // C compiler of a cgo build: "gcc-10 10.2.1-6"
	Commit      string
	Seconds     int      // wall time of the go command
	PeakMiB     int      // peak memory of all its processes together
	BuiltWith   []string // all binaries of the same go command
}

// entry is the JSON form of a result.
type entry struct {
	Version     string   `json:"version"`
	Platform    string   `json:"platform"`
	Binary      string   `json:"binary"`
	Outcome     string   `json:"outcome"`
	SHA256      string   `json:"sha256,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	MissingDate string   `json:"missingDate,omitempty"`
	Toolchain   string   `json:"toolchain,omitempty"`
	System      string   `json:"system,omitempty"`
	Compiler    string   `json:"compiler,omitempty"`
	Commit      string   `json:"commit,omitempty"`
	Seconds     int      `json:"seconds,omitempty"`
	PeakMiB     int      `json:"peakMiB,omitempty"`
	BuiltWith   []string `json:"builtWith,omitempty"`
}

// Key identifies a result.
type Key struct {
	Version  versions.Version
	Platform versions.Platform
	Binary   string
}

// Key returns the key of r.
func (r Result) Key() Key { return Key{r.Version, r.Platform, r.Binary} }

// Results are all results, one for each key.
type Results struct{ byKey map[Key]Result }

// Get returns the result of a key.
func (r *Results) Get(k Key) (Result, bool) {
	result, ok := r.byKey[k]
	return result, ok
}

// Set adds or replaces a result.
func (r *Results) Set(result Result) { r.byKey[result.Key()] = result }

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

// Parse parses and validates a file. The error reports every invalid result.
func Parse(name string, data []byte) (*Results, error) {
	r := &Results{map[Key]Result{}}
	err := jsonlist.Parse(name, "results", data, func(e entry) error {
		result, err := e.result()
		if err != nil {
			return err
		}
		if _, ok := r.Get(result.Key()); ok {
			return fmt.Errorf("duplicate result of %s %s %s", e.Binary, e.Version, e.Platform)
		}
		r.Set(result)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (e entry) result() (Result, error) {
	r := Result{
		Binary: e.Binary, Outcome: e.Outcome, Reason: e.Reason, MissingDate: e.MissingDate, Toolchain: e.Toolchain, System: e.System,
		Compiler: e.Compiler, Commit: e.Commit, Seconds: e.Seconds, PeakMiB: e.PeakMiB, BuiltWith: e.BuiltWith,
	}
	var errs []error
	var err error
	r.Version, err = versions.ParseVersion(e.Version)
	errs = append(errs, err)
	r.Platform, err = versions.ParsePlatform(e.Platform)
	errs = append(errs, err)
	if e.Binary == "" {
		errs = append(errs, errors.New("binary: empty"))
	}
	built := e.Outcome == Matched || e.Outcome == Differs
	if !built && e.Outcome != Unbuildable {
		errs = append(errs, fmt.Errorf("outcome: want %q, %q or %q, got %q", Matched, Differs, Unbuildable, e.Outcome))
	}
	if built || e.SHA256 != "" {
		r.SHA256, err = versions.ParseDigest(e.SHA256)
		errs = append(errs, err)
	}
	if built == (e.Reason != "") {
		errs = append(errs, fmt.Errorf("reason: want one with outcome %q and none with others, got %q", Unbuildable, e.Reason))
	}
	return r, errors.Join(errs...)
}

// Format returns the bytes of a file.
func (r *Results) Format() []byte {
	entries := make([]entry, 0, len(r.byKey))
	for _, result := range r.All() {
		entries = append(entries, entry{
			result.Version.String(), result.Platform.String(), result.Binary, result.Outcome, result.SHA256.String(), result.Reason, result.MissingDate,
			result.Toolchain, result.System, result.Compiler, result.Commit, result.Seconds, result.PeakMiB, result.BuiltWith,
		})
	}
	return jsonlist.Format("results", entries)
}
