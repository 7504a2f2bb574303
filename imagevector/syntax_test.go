package imagevector

import (
	"errors"
	"testing"
)

// A text that is no YAML has its fault where people find it, wherever the parser
// says it is.
func TestSyntaxErrors(t *testing.T) {
	for in, want := range map[string]string{
		"a: 1\nb: 2\nc: [1,\nd: }\n":                         "4:4: reading YAML: did not find expected node content while parsing a flow node",
		"a: 1\nb: 2\nc: [1,\n2\n":                            "3:4: reading YAML: did not find expected ',' or ']' while parsing a flow sequence",
		"images:\n- name: a\n  tag: \"x\" y\n- name: b\n":    "3:12: reading YAML: did not find expected key while parsing a block mapping",
		"images:\n- name: a\n repository: r\n- name: b\n":    "3:2: reading YAML: did not find expected key while parsing a block mapping",
		"images:\n- name: a\n  tag: a: b\n":                  "3:9: reading YAML: mapping values are not allowed in this context",
		"images:\n- name: a\n  tag\n- name: b\n":             "3:3: reading YAML: could not find expected ':' while scanning a simple key",
		"images:\n- name: a\n\ttag: a\n":                     "3:1: reading YAML: found a tab character that violates indentation while scanning a plain scalar",
		"images:\n- name: \"a\n  tag: a\n":                   "2:9: reading YAML: found unexpected end of stream while scanning a quoted scalar",
		"images:\n- name: \"é\\q\"\n":                        "2:11: reading YAML: found unknown escape character while parsing a quoted scalar",
		"images:\n- name: a\n  repository: *x\n":             "3:15: reading YAML: unknown anchor 'x' referenced",
		"images:\n- name: é\x07\n":                           "2:10: reading YAML: control characters are not allowed",
		"images:\n- name: é\xff\n":                           "2:10: reading YAML: invalid leading UTF-8 octet",
		"images: [":                                          "1:10: reading YAML: did not find expected node content while parsing a flow node",
		"\xff":                                               "1:1: reading YAML: invalid leading UTF-8 octet",
		"images: []\n---\nimages: [\n":                       "3:10: reading YAML: did not find expected node content while parsing a flow node",
		"\xef\xbb\xbf\r\nimages:\r\n- name: a\r\n  x: @\r\n": "4:6: reading YAML: found character that cannot start any token while scanning for the next token",
	} {
		_, err := Parse([]byte(in))
		var problems Problems
		if !errors.As(err, &problems) || problems.Error() != want {
			t.Errorf("%q:\n got  %v\n want %s", in, err, want)
		}
	}
}
