package versions

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Revision is an image of a Kubernetes version: the first made of it has
// iteration 1, and each change of its content raises that by one.
type Revision struct {
	Version   Version
	Iteration int
}

// Compare orders revisions by version, then by iteration.
func (r Revision) Compare(s Revision) int {
	return cmp.Or(r.Version.Compare(s.Version), cmp.Compare(r.Iteration, s.Iteration))
}

// expand fills a template of a flavor.
func (r Revision) expand(template string) string {
	n := strconv.Itoa(r.Iteration)
	after := "" // of the first
	if r.Iteration > 1 {
		after = "-" + n
	}
	return strings.NewReplacer("{version}", r.Version.String(), "{iteration}", n, "{-iteration}", after).Replace(template)
}

// HasIteration reports whether a template gives each iteration a tag of its own.
func HasIteration(template string) bool {
	return strings.Contains(template, "{iteration}") || strings.Contains(template, "{-iteration}")
}

// ParseTag reads what a tag template makes of a revision, "v1.26.4-rancher1" by
// "{version}-rancher{iteration}". A tag that the template cannot have made, a
// pre-release among them, is an error. A template without {iteration} or
// {-iteration} reads iteration 1, and so does {-iteration} where there is none.
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
		return Revision{}, fmt.Errorf("%q is not a tag like %q", tag, strings.NewReplacer("{version}", "v1.36.0", "{iteration}", "1", "{-iteration}", "").Replace(template))
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
				continue // the first
			}
			r.Iteration, _ = strconv.Atoi(m[i]) // the pattern allows nothing else
		}
	}
	return r, nil
}

// admits says whether a choice is meant for a revision. Each of MinTags stands for
// the revisions of its own minor from it on; the newest of them for those of all
// later minors as well. A minor before all of them has none.
func (c SourceChoice) admits(r Revision) bool {
	if c.Versions != nil && !admits(c.Versions, r.Version) {
		return false
	}
	if len(c.MinTags) == 0 {
		return true
	}
	var start Revision
	for _, from := range c.MinTags {
		minor := cmp.Or(cmp.Compare(from.Version.major, r.Version.major), cmp.Compare(from.Version.minor, r.Version.minor))
		if minor <= 0 && from.Compare(start) > 0 {
			start = from
		}
	}
	return start != (Revision{}) && r.Compare(start) >= 0
}
