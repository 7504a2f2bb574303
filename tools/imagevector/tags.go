package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
)

// givenTags are tags of images that the vector has none for. Gardener looks its
// own images up without a version and tags them with its own.
type givenTags []givenTag

type givenTag struct{ pattern, tag string }

// String is asked for by the flag package.
func (t *givenTags) String() string { return "" }

// Set reads "NAME=TAG"; the name may have wildcards, as of file names.
func (t *givenTags) Set(text string) error {
	pattern, tag, ok := strings.Cut(text, "=")
	if _, err := path.Match(pattern, ""); !ok || pattern == "" || tag == "" || err != nil {
		return fmt.Errorf("want NAME=TAG, as in garden*=v1.149.3, got %q", text)
	}
	*t = append(*t, givenTag{pattern, tag})
	return nil
}

// of returns the tag given for a name, "" if there is none.
func (t givenTags) of(name string) string {
	for _, given := range t {
		if ok, _ := path.Match(given.pattern, name); ok {
			return given.tag
		}
	}
	return ""
}

// used makes sure that every tag is for some image without one.
func (t givenTags) used(v *imagevector.Vector) error {
	sources := v.Sources()
	for _, given := range t {
		if !slices.ContainsFunc(sources, func(s imagevector.Source) bool {
			ok, _ := path.Match(given.pattern, s.Name)
			return ok && s.Ref == nil && s.Tag == nil
		}) {
			return fmt.Errorf("giving %q the tag %q: no image of this name is without one", given.pattern, given.tag)
		}
	}
	return nil
}
