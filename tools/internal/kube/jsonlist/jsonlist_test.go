package jsonlist

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

type entry struct {
	N int `json:"n"`
}

func TestFormatAndParse(t *testing.T) {
	for _, entries := range [][]entry{nil, {{1}}, {{1}, {2}}} {
		data := Format("list", entries)
		var got []entry
		if err := Parse("file", "list", data, func(e entry) error { got = append(got, e); return nil }); err != nil || !slices.Equal(got, entries) {
			t.Errorf("got %v, error %v, want %v of\n%s", got, err, entries, data)
		}
	}
	if got, want := string(Format("list", []entry{{1}, {2}})), "{\n  \"schema\": 1,\n  \"list\": [\n    {\"n\":1},\n    {\"n\":2}\n  ]\n}\n"; got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                    "EOF",
		`[`:                                   "EOF",
		`{"list":[]}`:                         "schema: want 1",
		`{"schema":2,"list":[]}`:              "schema: want 1, got 2",
		`{"schema":1}`:                        "list: EOF",
		`{"schema":1,"list":[]} {}`:           "trailing data",
		`{"schema":1,"list":[],"x":1}`:        `unknown key "x"`,
		`{"schema":1,"list":[{"n":1,"m":2}]}`: `unknown field "m"`,
		`{"schema":1,"list":[{"n":7}]}`:       "list[0]: rejected",
		`{"schema":1,"list":[{},{"n":7}]}`:    "list[1]: rejected",
	} {
		err := Parse("file", "list", []byte(text), func(e entry) error {
			if e.N == 7 {
				return errors.New("rejected")
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "file") {
			t.Errorf("%s: error %v, want %q in file", text, err, want)
		}
	}
}
