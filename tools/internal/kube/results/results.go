// Package results holds the recorded results of rebuilding official binaries
// and renders them as a table.
package results

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
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
	Key
	Outcome     string          `json:"outcome"`
	SHA256      versions.Digest `json:"sha256,omitzero"`       // of the built binary
	Reason      string          `json:"reason,omitempty"`      // why it could not be built
	MissingDate string          `json:"missingDate,omitempty"` // phase whose build date was unknown, if that is the reason
	Build
}

// Build describes how a binary was built.
type Build struct {
	Toolchain string   `json:"toolchain,omitempty"` // "go1.26.2"
	System    string   `json:"system,omitempty"`    // "host", or Debian's "bullseye"
	Compiler  string   `json:"compiler,omitempty"`  // Debian package of the C compiler: "gcc-10 10.2.1-6"; "" without cgo
	Commit    string   `json:"commit,omitempty"`
	Seconds   int      `json:"seconds,omitempty"`   // wall time of the go command
	PeakMiB   int      `json:"peakMiB,omitempty"`   // peak memory of all its processes together
	BuiltWith []string `json:"builtWith,omitempty"` // all binaries of the same go command
}

// Key identifies a result.
type Key struct {
	Version  versions.Version  `json:"version"`
	Platform versions.Platform `json:"platform"`
	Binary   string            `json:"binary"`
}

// Results has a result for each key.
type Results map[Key]Result

// All lists the results by version, platform and binary.
func (r Results) All() []Result {
	return slices.SortedFunc(maps.Values(r), func(a, b Result) int {
		return cmp.Or(a.Version.Compare(b.Version), cmp.Compare(a.Platform.String(), b.Platform.String()), cmp.Compare(a.Binary, b.Binary))
	})
}

// Parse parses and validates a file. The error reports every invalid result.
func Parse(name string, data []byte) (Results, error) {
	return jsonlist.Parse(name, "results", data, func(r Result) Key { return r.Key }, Result.validate)
}

func (r Result) validate() error {
	var errs []error
	if r.Version == (versions.Version{}) || r.Platform == (versions.Platform{}) || r.Binary == "" {
		errs = append(errs, errors.New("want version, platform and binary"))
	}
	built := r.Outcome == Matched || r.Outcome == Differs
	if !built && r.Outcome != Unbuildable {
		errs = append(errs, fmt.Errorf("outcome: want %q, %q or %q, got %q", Matched, Differs, Unbuildable, r.Outcome))
	}
	if built && r.SHA256 == (versions.Digest{}) {
		errs = append(errs, fmt.Errorf("sha256: missing with outcome %q", r.Outcome))
	}
	if built == (r.Reason != "") {
		errs = append(errs, fmt.Errorf("reason: want one with outcome %q and none with others, got %q", Unbuildable, r.Reason))
	}
	return errors.Join(errs...)
}

// Format returns the bytes of a file.
func (r Results) Format() []byte { return jsonlist.Format("results", r.All()) }
