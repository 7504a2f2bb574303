package oci

import (
	"regexp"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// variable is $NAME or ${NAME}; rules_oci takes a single brace, too.
var variable = regexp.MustCompile(`\$\{?([a-zA-Z0-9_]+)\}?`)

// mergeEnv sets variables over those of a base, in whose place they then stand;
// new ones follow. A value may speak of what was set before it.
func mergeEnv(base []string, set []versions.Pair) []string {
	var env []versions.Pair
	for _, e := range base {
		name, content, _ := strings.Cut(e, "=")
		env = append(env, versions.Pair{Key: name, Value: content})
	}
	for _, s := range set {
		expanded := variable.ReplaceAllStringFunc(s.Value, func(v string) string {
			name, all := variable.FindStringSubmatch(v)[1], ""
			for _, e := range env {
				if e.Key == name {
					all += e.Value // of a name that stands twice, both
				}
			}
			return all
		})
		found := false
		for i := range env {
			if env[i].Key == s.Key {
				env[i].Value, found = expanded, true
				break
			}
		}
		if !found {
			env = append(env, versions.Pair{Key: s.Key, Value: expanded})
		}
	}
	var merged []string
	for _, e := range env {
		merged = append(merged, e.Key+"="+e.Value)
	}
	return merged
}
