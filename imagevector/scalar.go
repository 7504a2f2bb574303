package imagevector

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hyperkube/hyperkube/imagevector/internal/yamljson"
)

// misread reports in wrong whether the value of an unquoted scalar differs from its
// text: 1.20 is 1.2, yes is true, an empty scalar is null. read is the value; ok is
// false for null.
func misread(n *yaml.Node) (read string, ok, wrong bool) {
	if n.Style&^yaml.TaggedStyle != 0 || !mayNotBeString(n.Value) {
		return n.Value, true, false
	}
	switch n.Value {
	case "", "~", "null":
		return "", false, true
	}
	read, ok = yamljson.Scalar(n.Value)
	return read, ok, !ok || read != n.Value
}

// isNull reports whether a node is null.
func isNull(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return false
	}
	_, ok, _ := misread(n)
	return !ok
}

// mayNotBeString reports whether an unquoted scalar may be anything but a string. It is a
// fast check that can have false positives only.
func mayNotBeString(text string) bool {
	if text == "" || strings.IndexByte("0123456789-+.~=<", text[0]) >= 0 {
		return true
	}
	switch strings.ToLower(text) {
	case "y", "yes", "on", "n", "no", "off", "true", "false", "null":
		return true
	}
	return false
}

// looksLikeConstraint reports whether the field "version" of an entry is a
// constraint: a version of an image has no operator, space or wildcard.
func looksLikeConstraint(text string) bool {
	if !strings.ContainsAny(text, "<>=~^|!*, ") && !wildcard.MatchString(text) {
		return false
	}
	_, err := ParseConstraint(text)
	return err == nil
}

var (
	wildcard = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+)?\.[xX]$`)

	host = `(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?`
	part = `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`

	repositoryForm = regexp.MustCompile(`^(?:` + host + `/)?` + part + `(?:/` + part + `)*$`)
	tagForm        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	digestForm     = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

const malformedDigest = `malformed digest: want "sha256:" and 64 lower-case hexadecimal digits`

// checkTag returns the problem of a tag, a digest, or a tag with digest, or "".
func checkTag(text string) string {
	tag, digest, both := strings.Cut(text, "@")
	switch {
	case strings.HasPrefix(text, "sha256:"):
		digest = text
	case both && !tagForm.MatchString(tag), !both && !tagForm.MatchString(text):
		return `malformed tag: want "v1.2.3", "sha256:…" or "v1.2.3@sha256:…", a tag of at most 128 letters, digits and "._-"`
	case !both:
		return ""
	}
	if !digestForm.MatchString(digest) {
		return malformedDigest
	}
	return ""
}

// checkRepository returns the problem of a repository, or "".
func checkRepository(text string) string {
	switch {
	case len(text) > 255:
		return "malformed repository: longer than 255 characters"
	case !repositoryForm.MatchString(text):
		return `malformed repository: want "registry.example.com/path/name" in lower case, without scheme, tag or digest`
	}
	return ""
}

// checkRef returns the problem of a complete reference, or "".
func checkRef(text string) string {
	repository, tag, digest := splitReference(text)
	switch {
	case tag != "" && !tagForm.MatchString(tag[1:]):
		return `malformed tag: want at most 128 letters, digits and "._-"`
	case digest != "" && !digestForm.MatchString(digest[1:]):
		return malformedDigest
	}
	return checkRepository(repository)
}

// splitReference splits an image reference. The tag begins with ":" and the digest
// with "@", if present.
func splitReference(text string) (repository, tag, digest string) {
	repository = text
	if i := strings.IndexByte(repository, '@'); i >= 0 {
		repository, digest = repository[:i], repository[i:]
	}
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		repository, tag = repository[:i], repository[i:]
	}
	return repository, tag, digest
}
