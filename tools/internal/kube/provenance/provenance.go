// Package provenance writes in-toto statements with a SLSA v1 predicate: the
// sources, tools and command of a rebuilt binary. A statement has no timestamp
// and no machine in it, so equal rebuilds have equal statements.
package provenance

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Statement describes how a binary was built.
type Statement struct {
	Binary, Version, Platform string
	SHA256                    string // of the binary, in hexadecimal digits
	Phase                     string // of upstream's release
	Commit                    string
	CommitTime, BuildDate     string // as in the binary
	Command                   []string
	Environment               []string // KEY=value
	System                    string   // of the build: "host", "bullseye"
	Modules                   []Module
	Packages                  []Package // empty without cgo
}

// Module is a Go module or a toolchain.
type Module struct{ Path, Version, Sum string } // Sum is "h1:…"

// Package is an installed Debian package.
type Package struct{ Name, Version, Architecture string }

// builder identifies this program in statements, and buildType its builds.
const (
	builder   = "https://github.com/hyperkube/hyperkube/tools/hk"
	buildType = "https://github.com/hyperkube/hyperkube/docs/rebuild.md@v1"
)

type resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

type statement struct {
	Type          string     `json:"_type"`
	Subject       []resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     predicate  `json:"predicate"`
}

type predicate struct {
	BuildDefinition struct {
		BuildType          string            `json:"buildType"`
		ExternalParameters map[string]string `json:"externalParameters"`
		InternalParameters struct {
			Phase       string            `json:"phase"`
			CommitTime  string            `json:"commitTime"`
			BuildDate   string            `json:"buildDate"`
			Command     []string          `json:"command"`
			Environment map[string]string `json:"environment"`
			System      string            `json:"system"`
		} `json:"internalParameters"`
		ResolvedDependencies []resource `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
	} `json:"runDetails"`
}

// Marshal returns the statement on one line.
func (s Statement) Marshal() ([]byte, error) {
	out := statement{
		Type:          "https://in-toto.io/Statement/v1",
		Subject:       []resource{{Name: s.Binary, Digest: map[string]string{"sha256": s.SHA256}}},
		PredicateType: "https://slsa.dev/provenance/v1",
	}
	d := &out.Predicate.BuildDefinition
	d.BuildType = buildType
	d.ExternalParameters = map[string]string{"version": s.Version, "binary": s.Binary, "platform": s.Platform}
	d.InternalParameters.Phase = s.Phase
	d.InternalParameters.CommitTime = s.CommitTime
	d.InternalParameters.BuildDate = s.BuildDate
	d.InternalParameters.Command = s.Command
	d.InternalParameters.System = s.System
	d.InternalParameters.Environment = map[string]string{}
	for _, e := range s.Environment {
		key, value, _ := strings.Cut(e, "=")
		d.InternalParameters.Environment[key] = value
	}
	d.ResolvedDependencies = []resource{{
		URI:    "git+https://github.com/kubernetes/kubernetes@refs/tags/" + s.Version,
		Digest: map[string]string{"gitCommit": s.Commit},
	}}
	modules := slices.Clone(s.Modules)
	slices.SortFunc(modules, func(a, b Module) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version)) })
	for _, m := range slices.Compact(modules) {
		sum, err := dirHash(m)
		if err != nil {
			return nil, err
		}
		d.ResolvedDependencies = append(d.ResolvedDependencies, resource{
			URI: "pkg:golang/" + m.Path + "@" + m.Version, Digest: map[string]string{"dirHash": sum},
		})
	}
	packages := slices.Clone(s.Packages)
	slices.SortFunc(packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Architecture, b.Architecture))
	})
	for _, p := range packages {
		d.ResolvedDependencies = append(d.ResolvedDependencies, resource{
			URI: "pkg:deb/debian/" + p.Name + "@" + url.QueryEscape(p.Version) + "?arch=" + p.Architecture,
		})
	}
	out.Predicate.RunDetails.Builder.ID = builder
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("writing provenance of %s: %w", s.Binary, err)
	}
	return b.Bytes(), nil
}

// dirHash returns the sum of a module in the form of in-toto, hexadecimal digits.
func dirHash(m Module) (string, error) {
	text, ok := strings.CutPrefix(m.Sum, "h1:")
	sum, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(sum) != 32 {
		return "", fmt.Errorf("writing provenance: module %s@%s: want a sum of h1: and 32 bytes, got %q", m.Path, m.Version, m.Sum)
	}
	return hex.EncodeToString(sum), nil
}
