package search

import (
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
)

func TestSearchSpaces(t *testing.T) {
	at := func(s string) time.Time { return must(time.Parse(time.RFC3339, s))(t) }
	commit := builddate.Timestamp{Date: at("2024-01-17T15:41:11Z"), Source: builddate.Proxy}
	found := func(s string) builddate.Timestamp { return builddate.Timestamp{Date: at(s), Source: builddate.Search} }
	tests := []struct {
		name, phase string
		phases      map[string]builddate.Timestamp
		want        string
	}{
		{
			"server after the commit, or before the time of the proxy", "server", nil,
			"2024-01-17T15:41:11Z to 2024-01-17T15:46:11Z (commit time 2024-01-17T15:41:11Z); " +
				"2024-01-17T09:41:11Z to 2024-01-17T15:41:11Z (commit 0 to 3 s before); " +
				"2024-01-14T15:41:11Z to 2024-01-17T09:41:11Z (commit 0 to 3 s before)",
		},
		{
			"server before the node phase", "server",
			map[string]builddate.Timestamp{"node": found("2024-01-17T15:49:02Z")},
			"2024-01-17T15:41:11Z to 2024-01-17T15:46:11Z (commit time 2024-01-17T15:41:11Z); " +
				"2024-01-17T15:29:02Z to 2024-01-17T15:48:32Z (commit 0 to 3 s before); " +
				"2024-01-17T15:29:02Z to 2024-01-17T15:48:32Z (commit 4 to 120 s before)",
		},
		{
			"node after the server phase", "node",
			map[string]builddate.Timestamp{"server": found("2024-01-17T15:41:12Z")},
			"2024-01-17T15:41:42Z to 2024-01-17T16:01:12Z (commit time 2024-01-17T15:41:11Z)",
		},
		{
			"client after the node phase", "client",
			map[string]builddate.Timestamp{"node": found("2024-01-17T15:49:02Z")},
			"2024-01-17T15:49:12Z to 2024-01-17T15:55:42Z (commit time 2024-01-17T15:41:11Z)",
		},
		{
			"client without a node phase", "client", nil,
			"2024-01-17T15:42:11Z to 2024-01-17T16:12:51Z (commit time 2024-01-17T15:41:11Z)",
		},
		{
			"known, with a suspect commit time", "server",
			map[string]builddate.Timestamp{"server": found("2024-01-17T15:41:12Z")},
			"2024-01-17T15:41:12Z (commit time 2024-01-17T15:41:11Z); 2024-01-17T15:41:12Z (commit 0 to 300 s before)",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, space := range searchSpaces(builddate.Release{CommitTime: commit, Phases: test.phases}, test.phase, Range{}) {
				got = append(got, space.String())
			}
			if s := strings.Join(got, "; "); s != test.want {
				t.Errorf("got\n%s\nwant\n%s", s, test.want)
			}
		})
	}
}

func TestCommitTimeSuspect(t *testing.T) {
	at := func(s string) time.Time { return must(time.Parse(time.RFC3339, s))(t) }
	for _, test := range []struct {
		server, commit, how string
		want                bool
	}{
		{"2024-04-17T17:27:03Z", "2024-04-17T21:00:39Z", builddate.Proxy, true}, // of v1.30.0
		{"2024-04-17T17:27:03Z", "2024-04-17T17:27:02Z", builddate.Proxy, false},
		{"2024-04-17T17:27:03Z", "2024-04-17T17:00:00Z", builddate.Proxy, true},
		{"2024-04-17T17:27:03Z", "2024-04-17T21:00:39Z", builddate.Search, false},
	} {
		r := builddate.Release{
			CommitTime: builddate.Timestamp{Date: at(test.commit), Source: test.how},
			Phases:     map[string]builddate.Timestamp{"server": {Date: at(test.server)}},
		}
		if got := commitTimeSuspect(r); got != test.want {
			t.Errorf("server phase %s, commit time %s from %s: suspect %v, want %v", test.server, test.commit, test.how, got, test.want)
		}
	}
	late := builddate.Release{
		CommitTime: builddate.Timestamp{Date: at("2023-05-17T21:45:37Z"), Source: builddate.Proxy}, // of v1.27.2
		Phases:     map[string]builddate.Timestamp{"node": {Date: at("2023-05-17T14:18:49Z")}},
	}
	if !commitTimeSuspect(late) {
		t.Error("a commit time after the node phase is not suspect")
	}
	if commitTimeSuspect(builddate.Release{CommitTime: builddate.Timestamp{Source: builddate.Proxy}}) {
		t.Error("the commit time is suspect without a known build date")
	}
}

func TestCandidates(t *testing.T) {
	from := time.Date(2024, 1, 17, 15, 0, 0, 0, time.UTC)
	space := searchSpace{build: Range{from, from.Add(9 * time.Second)}, commit: Range{from.Add(-2 * time.Second), from}}
	if space.size() != 30 {
		t.Fatalf("%d candidates, want 10 times 3", space.size())
	}
	lagging := searchSpace{build: space.build, lag: offset{4, 6}}
	if c := lagging.candidate(11); lagging.size() != 30 || !c.build.Equal(from.Add(time.Second)) || !c.commit.Equal(from.Add(-4*time.Second)) {
		t.Errorf("candidate 11 of %d is %v, want of 30 the second build date, 5 s after its commit", lagging.size(), c)
	}
	seen := map[candidate]bool{}
	for i := range space.size() {
		seen[space.candidate(i)] = true
	}
	if len(seen) != 30 || !seen[candidate{space.build.To, space.commit.From}] || !seen[candidate{space.build.From, space.commit.To}] {
		t.Errorf("%d different candidates, want 30 with all corners: %v", len(seen), seen)
	}
}

func TestNextChunk(t *testing.T) {
	for _, test := range []struct {
		n, want int64
		took    time.Duration
	}{{16, 32, time.Millisecond}, {16, 16, time.Second}, {16, 8, 5 * time.Second}, {1, 1, time.Minute}} {
		if got := nextChunk(test.n, test.took); got != test.want {
			t.Errorf("after %d in %v: got %d, want %d", test.n, test.took, got, test.want)
		}
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
