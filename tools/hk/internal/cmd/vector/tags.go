package vector

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
)

// tagRules set the tags of images that have none in the vector. Gardener looks up
// its own images without a version, and tags them with the version of Gardener.
type tagRules []tagRule

type tagRule struct{ pattern, tag string }

// add parses "NAME=TAG", where the name is a pattern of [path.Match].
func (t *tagRules) add(text string) error {
	pattern, tag, ok := strings.Cut(text, "=")
	if _, err := path.Match(pattern, ""); !ok || pattern == "" || tag == "" || err != nil {
		return errors.New("want NAME=TAG, such as garden*=v1.149.3")
	}
	*t = append(*t, tagRule{pattern, tag})
	return nil
}

// tag returns the tag of a name, "" if no rule matches.
func (t tagRules) tag(name string) string {
	for _, rule := range t {
		if ok, _ := path.Match(rule.pattern, name); ok {
			return rule.tag
		}
	}
	return ""
}

// checkUsed reports rules that match no image without a tag.
func (t tagRules) checkUsed(v *imagevector.Vector) error {
	sources := v.Sources()
	for _, rule := range t {
		if !slices.ContainsFunc(sources, func(s imagevector.Source) bool {
			ok, _ := path.Match(rule.pattern, s.Name)
			return ok && s.Ref == nil && s.Tag == nil
		}) {
			return fmt.Errorf("setting tag %q of %q: no image of that name lacks a tag", rule.tag, rule.pattern)
		}
	}
	return nil
}
