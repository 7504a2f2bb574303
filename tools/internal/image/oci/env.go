package oci

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// variable matches $NAME and ${NAME}, and like rules_oci also ${NAME and $NAME}.
var variable = regexp.MustCompile(`\$\{?([a-zA-Z0-9_]+)\}?`)

// mergeEnv returns the environment of a base with variables set in it. Existing
// variables keep their position, new ones are appended. Values may refer to
// variables that are set before.
func mergeEnv(base []string, set []versions.Pair) []string {
	var env []versions.Pair
	for _, e := range base {
		name, content, _ := strings.Cut(e, "=")
		env = append(env, versions.Pair{Key: name, Value: content})
	}
	for _, s := range set {
		expanded := variable.ReplaceAllStringFunc(s.Value, func(reference string) string {
			name, content := variable.FindStringSubmatch(reference)[1], ""
			for _, e := range env {
				if e.Key == name {
					content += e.Value // like rules_oci, both values of a duplicate
				}
			}
			return content
		})
		i := slices.IndexFunc(env, func(e versions.Pair) bool { return e.Key == s.Key })
		if i < 0 {
			i, env = len(env), append(env, versions.Pair{Key: s.Key})
		}
		env[i].Value = expanded
	}
	var merged []string
	for _, e := range env {
		merged = append(merged, e.Key+"="+e.Value)
	}
	return merged
}
