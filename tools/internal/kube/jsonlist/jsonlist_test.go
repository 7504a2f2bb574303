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

func (e entry) key() int { return e.N }

func TestFormatAndParse(t *testing.T) {
	for _, entries := range [][]entry{nil, {{1}}, {{1}, {2}}} {
		data := Format("list", entries)
		got, err := Parse("file", "list", data, entry.key, func(entry) error { return nil })
		if err != nil || len(got) != len(entries) || slices.ContainsFunc(entries, func(e entry) bool { return got[e.N] != e }) {
			t.Errorf("got %v, error %v, want %v of\n%s", got, err, entries, data)
		}
	}
	if got, want := string(Format("list", []entry{{1}, {2}})), "{\n  \"schema\": 1,\n  \"list\": [\n    {\"n\":1},\n    {\"n\":2}\n  ]\n}\n"; got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                      "EOF",
		`[`:                                     "EOF",
		`{"list":[]}`:                           "schema: want 1",
		`{"schema":2,"list":[]}`:                "schema: want 1, got 2",
		`{"schema":1}`:                          "list: EOF",
		`{"schema":1,"list":[]} {}`:             "trailing data",
		`{"schema":1,"list":[],"x":1}`:          `unknown key "x"`,
		`{"schema":1,"list":[{"n":1,"m":2}]}`:   `unknown field "m"`,
		`{"schema":1,"list":[{"n":7}]}`:         "list[0]: 7: rejected",
		`{"schema":1,"list":[{},{"n":7}]}`:      "list[1]: 7: rejected",
		`{"schema":1,"list":[{"n":1},{"n":1}]}`: "list[1]: duplicate key 1",
	} {
		_, err := Parse("file", "list", []byte(text), entry.key, func(e entry) error {
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
