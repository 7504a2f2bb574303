package yamljson

import (
	"errors"
	"strings"
	"testing"
)

func schema() *Schema {
	return Object(map[string]*Schema{"items": List(Object(map[string]*Schema{"name": Text(), "tags": List(Text())})), "one": Object(map[string]*Schema{"text": Text()})})
}

func TestConvert(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", `null`},
		{"items: [{name: 1.20, tags: [1, yes, 0x10, 18446744073709551615, 1e3, text, null]}]", `{"items":[{"name":"1.2","tags":["1","true","16","18446744073709551615","1000","text",null]}]}`},
		{"items: [{NAME: 1.50, other: 1.50}]", `{"items":[{"NAME":"1.5","other":1.5}]}`},
		{"one: {text: .inf}", `{"one":{"text":"+Inf"}}`},
		{"one: {text: 16777217.5}", `{"one":{"text":"1.6777218e+07"}}`},
		{"one: [1.50]\nitems: {name: 1.50}", `{"items":{"name":1.5},"one":[1.5]}`},
		{"{1: a, 1.5: b, true: c, .nan: d, -.inf: e}", `{"-.inf":"e",".nan":"d","1":"a","1.5":"b","true":"c"}`},
		{"a: 2024-01-01\nb: !!binary aGVsbG8=", `{"a":"2024-01-01","b":"hello"}`},
		{"x: &x {text: 1.50}\none: *x\ntwo: {<<: *x, text: 2.50}", `{"one":{"text":"1.5"},"two":{"text":2.5},"x":{"text":1.5}}`},
		{"a: 1\n---\nb: 2", `{"a":1}`},
	} {
		got, err := Convert([]byte(tt.in), schema(), Limits{1000, 1000})
		if err != nil || string(got) != tt.want {
			t.Errorf("%s:\n got  %s, %v\n want %s", tt.in, got, err, tt.want)
		}
	}
	for in, want := range map[string]string{
		"a: .nan":                   "json: unsupported value: NaN",
		"null: x":                   "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"x\"",
		"{18446744073709551615: e}": "unsupported map key of type: uint64, key: 0xffffffffffffffff, value: \"e\"",
		"? [a]\n: b":                "yaml: invalid map key: []interface {}{\"a\"}",
		"a: *b":                     "yaml: unknown anchor 'b' referenced",
		"a: &a [*a]":                "yaml: anchor 'a' value contains itself",
	} {
		if _, err := Convert([]byte(in), schema(), Limits{1000, 1000}); err == nil || err.Error() != want {
			t.Errorf("%s:\n got  %v\n want %s", in, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, in := range []string{strings.Repeat("a, ", 30), "x: \"" + strings.Repeat("y", 50) + "\"", "{null: [" + strings.Repeat("a, ", 30) + "]}", "{" + strings.Repeat("k", 50) + ": x}"} {
		if _, err := Convert([]byte("["+in+"]"), nil, Limits{20, 40}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%.30s: error %v, want ErrTooLarge", in, err)
		}
	}
}

func TestScalar(t *testing.T) {
	for in, want := range map[string]string{"1.20": "1.2", "v1.20": "v1.20", "yes": "true", "1.20.5": "1.20.5", "1_000": "1000", "12:30": "12:30", "2024-01-01": "2024-01-01", "=": "="} {
		if got, ok := Scalar(in); !ok || got != want {
			t.Errorf("Scalar(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "~", "null"} {
		if got, ok := Scalar(in); ok {
			t.Errorf("Scalar(%q) = %q, want nothing", in, got)
		}
	}
}

// The choice between two keys of the same name is deterministic.
func TestCollidingKeys(t *testing.T) {
	for range 50 {
		got, err := Convert([]byte("{1: a, '1': b}"), nil, Limits{100, 100})
		if err != nil || string(got) != `{"1":"b"}` {
			t.Fatalf("got %s, %v", got, err)
		}
	}
}
