// Package provenance writes in-toto statements with a SLSA v1 predicate: the
// sources, tools and command of a rebuilt binary. A statement has no timestamp
// and no machine in it, so equal rebuilds have equal statements.
package provenance

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
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

// builder identifies this program in statements, and buildType its builds.
const (
	builder   = "https://github.com/hyperkube/hyperkube/tools/hk"
	buildType = "https://github.com/hyperkube/hyperkube/docs/rebuild.md@v1"
)

// object is a JSON object.
type object map[string]any

// Marshal returns the statement on one line.
func (s Statement) Marshal() ([]byte, error) {
	dependencies := []object{{
		"uri":    "git+https://github.com/kubernetes/kubernetes@refs/tags/" + s.Version,
		"digest": object{"gitCommit": s.Commit},
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
		dependencies = append(dependencies, object{"uri": uri, "digest": object{"dirHash": modules[uri]}})
	}
	var packages []string
	for _, p := range s.Packages {
		packages = append(packages, "pkg:deb/debian/"+p.Name+"@"+url.QueryEscape(p.Version)+"?arch="+p.Architecture)
	}
	for _, uri := range slices.Sorted(slices.Values(packages)) {
		dependencies = append(dependencies, object{"uri": uri})
	}
	environment := object{}
	for _, e := range s.Environment {
		key, value, _ := strings.Cut(e, "=")
		environment[key] = value
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(object{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []object{{"name": s.Binary, "digest": object{"sha256": s.SHA256}}},
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": object{
			"buildDefinition": object{
				"buildType":          buildType,
				"externalParameters": object{"version": s.Version, "binary": s.Binary, "platform": s.Platform},
				"internalParameters": object{
					"phase": s.Phase, "commitTime": s.CommitTime, "buildDate": s.BuildDate,
					"command": s.Command, "environment": environment, "system": s.System,
				},
				"resolvedDependencies": dependencies,
			},
			"runDetails": object{"builder": object{"id": builder}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("writing provenance of %s: %w", s.Binary, err)
	}
	return b.Bytes(), nil
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
