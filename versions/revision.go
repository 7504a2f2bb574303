package versions

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Revision is a Kubernetes version and the iteration of its image. The first image
// of a version has iteration 1, a changed image the next one.
type Revision struct {
	Version   Version
	Iteration int
}

// Compare orders revisions by version, then by iteration.
func (r Revision) Compare(s Revision) int {
	return cmp.Or(r.Version.Compare(s.Version), cmp.Compare(r.Iteration, s.Iteration))
}

// expand replaces the placeholders in a template of a flavor.
func (r Revision) expand(template string) string {
	n := strconv.Itoa(r.Iteration)
	after := ""
	if r.Iteration > 1 {
		after = "-" + n
	}
	return expand(template, map[string]string{"version": r.Version.String(), "iteration": n, "-iteration": after})
}

// HasIteration reports whether a tag template has a placeholder of the iteration.
func HasIteration(template string) bool {
	return strings.Contains(template, "{iteration}") || strings.Contains(template, "{-iteration}")
}

// ParseTag parses a tag by its template: "v1.26.4-rancher1" by
// "{version}-rancher{iteration}". Pre-releases are an error. The iteration is 1 if
// the template has none, or {-iteration} expands to "".
func ParseTag(template, tag string) (Revision, error) {
	pattern, last := "^", 0
	for _, at := range placeholder.FindAllStringIndex(template, -1) {
		pattern += regexp.QuoteMeta(template[last:at[0]])
		switch template[at[0]:at[1]] {
		case "{version}":
			pattern += `(?P<version>v[0-9]+\.[0-9]+\.[0-9]+)`
		case "{-iteration}":
			pattern += `(?:-(?P<iteration>[2-9]|[1-9][0-9]{1,3}))?`
		default:
			pattern += `(?P<iteration>[1-9][0-9]{0,3})`
		}
		last = at[1]
	}
	re, err := regexp.Compile(pattern + regexp.QuoteMeta(template[last:]) + "$")
	if err != nil {
		return Revision{}, fmt.Errorf("reading tag %q: template %q: %w", tag, template, err)
	}
	m := re.FindStringSubmatch(tag)
	if m == nil {
		return Revision{}, fmt.Errorf("%q is not a tag like %q", tag, Revision{Version{1, 36, 0}, 1}.expand(template))
	}
	r := Revision{Iteration: 1}
	for i, name := range re.SubexpNames() {
		switch name {
		case "version":
			if r.Version, err = ParseVersion(m[i]); err != nil {
				return Revision{}, err
			}
		case "iteration":
			if m[i] == "" {
				continue // iteration 1
			}
			r.Iteration, _ = strconv.Atoi(m[i]) // cannot fail: the pattern has digits only
		}
	}
	return r, nil
}
