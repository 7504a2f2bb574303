package builddate

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/versions"
)

// repositoryFile returns the committed file.
func repositoryFile(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", filepath.FromSlash(File)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCommittedFile(t *testing.T) {
	data := repositoryFile(t)
	dates, err := Parse(File, data)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(dates.Releases()); n < 100 {
		t.Errorf("%d releases, want the 114 and more that are known", n)
	}
	if string(dates.Format()) != string(data) {
		t.Errorf("%s is not formatted as by Format: a line for each release, ordered by version", File)
	}
	for _, r := range dates.Releases() {
		commit := r.CommitTime.Date
		before := time.Time{}
		for _, phase := range []string{"server", "node", "client"} {
			l, ok := r.Phases[phase]
			if !ok {
				continue
			}
			if l.Date.Before(before) {
				t.Errorf("%s: the %s phase began at %v, before the preceding phase", r.Version, phase, l.Date)
			}
			before = l.Date
			// A release is built within the hour of its commit.
			if r.CommitTime.Source == Search && (l.Date.Before(commit) || l.Date.Sub(commit) > time.Hour) {
				t.Errorf("%s: the %s phase began at %v, the commit is from %v", r.Version, phase, l.Date, commit)
			}
		}
	}
}

func version(t *testing.T, s string) versions.Version {
	t.Helper()
	v, err := versions.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestFormatAndBack(t *testing.T) {
	dates, err := Parse("x", []byte(`{"schema": 1, "releases": []}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 4, 22, 13, 51, 51, 0, time.UTC)
	ten, two := version(t, "v1.9.10"), version(t, "v1.9.2")
	dates[ten] = Release{Version: ten, Commit: Commit{strings.Repeat("0a", 20), Proxy}, Phases: map[string]Timestamp{
		"server": {Date: at, Source: Search}, "client": {Date: at, Source: Reports, Reports: 2},
	}}
	dates[two] = Release{Version: two, CommitTime: Timestamp{Date: at, Source: Proxy}}
	const want = `{
  "schema": 1,
  "releases": [
    {"version":"v1.9.2","commitTime":{"date":"2026-04-22T13:51:51Z","source":"proxy"}},
    {"version":"v1.9.10","commit":{"hash":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","source":"proxy"},"phases":{"client":{"date":"2026-04-22T13:51:51Z","source":"reports","reports":2},"server":{"date":"2026-04-22T13:51:51Z","source":"search"}}}
  ]
}
`
	if got := string(dates.Format()); got != want {
		t.Fatalf("got\n%s want\n%s", got, want)
	}
	back, err := Parse("x", dates.Format())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := back.Release(ten), dates.Release(ten); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v back, want %+v", got, want)
	}
	if got := back.Release(version(t, "v1.0.0")); got.Commit != (Commit{}) || got.Version.String() != "v1.0.0" {
		t.Errorf("an unknown version is %+v, want the version only", got)
	}
}

func TestParseErrors(t *testing.T) {
	const good = `"version":"v1.36.0"`
	tests := []struct{ name, text, want string }{
		{"not JSON", `{`, "unexpected EOF"},
		{"schema", `{"schema":2,"releases":[]}`, "schema"},
		{"unknown key", `{"schema":1,"releases":[],"more":1}`, "more"},
		{"trailing data", `{"schema":1,"releases":[]} {}`, "trailing data"},
		{"bad version", `{"schema":1,"releases":[{"version":"1.36"}]}`, `releases[0]: "1.36"`},
		{"no version", `{"schema":1,"releases":[{}]}`, "version: missing"},
		{"duplicate", `{"schema":1,"releases":[{` + good + `},{` + good + `}]}`, "duplicate"},
		{"bad commit", `{"schema":1,"releases":[{` + good + `,"commit":{"hash":"abc","source":"proxy"}}]}`, "commit.hash"},
		{"empty commit", `{"schema":1,"releases":[{` + good + `,"commit":{}}]}`, "releases[0]: commit: empty value"},
		{"empty commit time", `{"schema":1,"releases":[{` + good + `,"commitTime":{}}]}`, "releases[0]: commitTime: empty value"},
		{"null commit", `{"schema":1,"releases":[{` + good + `,"commit":null}]}`, "releases[0]: commit: empty value"},
		{"other case", `{"schema":1,"releases":[{"Version":"v1.36.0"}]}`, "releases[0]: Version: empty value, or a key in another case"},
		{"bad source", `{"schema":1,"releases":[{` + good + `,"phases":{"node":{"date":"2026-04-22T13:51:51Z","source":"guess"}}}]}`, "phases.node.source"},
		{"part of a second", `{"schema":1,"releases":[{` + good + `,"phases":{"node":{"date":"2026-04-22T13:51:51.5Z","source":"search"}}}]}`, "phases.node.date"},
		{"another zone", `{"schema":1,"releases":[{` + good + `,"commitTime":{"date":"2026-04-22T13:51:51+02:00","source":"proxy"}}]}`, "commitTime.date"},
		{"reports without a number", `{"schema":1,"releases":[{` + good + `,"phases":{"node":{"date":"2026-04-22T13:51:51Z","source":"reports"}}}]}`, "phases.node.reports"},
		{"phase name", `{"schema":1,"releases":[{` + good + `,"phases":{"No De":{"date":"2026-04-22T13:51:51Z","source":"search"}}}]}`, "No De"},
		{"every fault", `{"schema":1,"releases":[{"version":"x"},{"version":"y"}]}`, `releases[1]: "y"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("dates.json", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "dates.json") {
				t.Errorf("error %v, want one of dates.json with %q", err, test.want)
			}
		})
	}
}
