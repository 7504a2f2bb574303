// Package provenance writes the provenance of rebuilt binaries: their sources, tools
// and command.
package provenance

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/slsa"
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
	Modules                   []gotool.Module
	Packages                  []Package // empty without cgo
}

// Package is an installed Debian package.
type Package struct{ Name, Version, Architecture string }

// Marshal returns the statement on one line.
func (s Statement) Marshal() ([]byte, error) {
	dependencies := []slsa.Resource{{
		URI:    "git+https://github.com/kubernetes/kubernetes@refs/tags/" + s.Version,
		Digest: map[string]string{"gitCommit": s.Commit},
	}}
	modules := map[string]string{}
	for _, m := range s.Modules {
		sum, err := dirHash(m)
		if err != nil {
			return nil, err
		}
		modules["pkg:golang/"+m.Path+"@"+m.Version] = sum
	}
	for _, uri := range slices.Sorted(maps.Keys(modules)) {
		dependencies = append(dependencies, slsa.Resource{URI: uri, Digest: map[string]string{"dirHash": modules[uri]}})
	}
	var packages []string
	for _, p := range s.Packages {
		packages = append(packages, "pkg:deb/debian/"+p.Name+"@"+url.QueryEscape(p.Version)+"?arch="+p.Architecture)
	}
	for _, uri := range slices.Sorted(slices.Values(packages)) {
		dependencies = append(dependencies, slsa.Resource{URI: uri})
	}
	environment := map[string]string{}
	for _, e := range s.Environment {
		key, value, _ := strings.Cut(e, "=")
		environment[key] = value
	}
	return slsa.Provenance{
		Builder: slsa.Repository + "/tools/hk",
		BuildDefinition: slsa.BuildDefinition{
			BuildType:          slsa.Repository + "/docs/rebuild.md@v1",
			ExternalParameters: map[string]any{"version": s.Version, "binary": s.Binary, "platform": s.Platform},
			InternalParameters: map[string]any{
				"phase": s.Phase, "commitTime": s.CommitTime, "buildDate": s.BuildDate,
				"command": s.Command, "environment": environment, "system": s.System,
			},
			ResolvedDependencies: dependencies,
		},
	}.Marshal(slsa.Resource{Name: s.Binary, Digest: slsa.SHA256(s.SHA256)})
}

// dirHash returns the sum of a module in the form of in-toto, hexadecimal digits.
func dirHash(m gotool.Module) (string, error) {
	text, ok := strings.CutPrefix(m.Sum, "h1:")
	sum, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(sum) != 32 {
		return "", fmt.Errorf("writing provenance: module %s@%s: want a sum of h1: and 32 bytes, got %q", m.Path, m.Version, m.Sum)
	}
	return hex.EncodeToString(sum), nil
}
