package imagevector

import (
	"errors"
	"testing"
)

// A syntax error has the line where the text stops being valid, not the one that
// the parser names.
func TestSyntaxErrors(t *testing.T) {
	for in, want := range map[string]string{
		"a: 1\nb: 2\nc: [1,\nd: }\n":                                        "4: reading YAML: did not find expected node content",
		"a: 1\nb: 2\nc: [1,\n2\n":                                           "4: reading YAML: did not find expected ',' or ']'",
		"images:\n- name: a\n  tag: \"x\" y\n- name: b\n":                   "3: reading YAML: did not find expected key",
		"images:\n- name: a\n repository: r\n- name: b\n":                   "3: reading YAML: did not find expected key",
		"images:\n- name: a\n  tag: a: b\n":                                 "3: reading YAML: mapping values are not allowed in this context",
		"images:\n- name: a\n  tag\n- name: b\n":                            "3: reading YAML: could not find expected ':'",
		"images:\n- name: a\n\ttag: a\n":                                    "3: reading YAML: found a tab character that violates indentation",
		"images:\n- name: \"a\n  tag: a\n":                                  "2: reading YAML: found unexpected end of stream",
		"images:\n- name: \"é\\q\"\n":                                       "2: reading YAML: found unknown escape character",
		"images:\n- name: a\n  repository: *x\n":                            "3: reading YAML: unknown anchor 'x' referenced",
		"images:\n- name: é\x07\n":                                          "2: reading YAML: control characters are not allowed",
		"images:\n- name: é\xff\n":                                          "2: reading YAML: invalid leading UTF-8 octet",
		"{\"images\": [\n{\"name\": \"a\"}\n],\n\"x\": [{\"y\": 1}\n{}]}\n": "5: reading YAML: did not find expected ',' or ']'",
		"images: [":                    "1: reading YAML: did not find expected node content",
		"\xff":                         "1: reading YAML: invalid leading UTF-8 octet",
		"images: []\n---\nimages: [\n": "3: reading YAML: did not find expected node content",
		"\xef\xbb\xbf\r\nimages:\r\n- name: a\r\n  x: @\r\n": "4: reading YAML: found character that cannot start any token",
	} {
		_, err := Parse([]byte(in))
		var problems Problems
		if !errors.As(err, &problems) || problems.Error() != want {
			t.Errorf("%q:\n got  %v\n want %s", in, err, want)
		}
	}
}
