package main

import (
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
)

func TestQuestions(t *testing.T) {
	at := func(s string) time.Time { return must(time.Parse(time.RFC3339, s))(t) }
	commit := builddate.Learned{Date: at("2024-01-17T15:41:11Z"), How: builddate.Proxy}
	learned := func(s string) builddate.Learned { return builddate.Learned{Date: at(s), How: builddate.Search} }
	tests := []struct {
		name, phase string
		phases      map[string]builddate.Learned
		want        string
	}{
		{
			"server after the commit, or before what the proxy says", "server", nil,
			"2024-01-17T15:41:11Z to 2024-01-17T15:46:11Z (commit of 2024-01-17T15:41:11Z); " +
				"2024-01-17T09:41:11Z to 2024-01-17T15:41:11Z (commit 0 to 3 s before); " +
				"2024-01-14T15:41:11Z to 2024-01-17T09:41:11Z (commit 0 to 3 s before)",
		},
		{
			"server before the node phase", "server",
			map[string]builddate.Learned{"node": learned("2024-01-17T15:49:02Z")},
			"2024-01-17T15:41:11Z to 2024-01-17T15:46:11Z (commit of 2024-01-17T15:41:11Z); " +
				"2024-01-17T15:29:02Z to 2024-01-17T15:48:32Z (commit 0 to 3 s before); " +
				"2024-01-17T15:29:02Z to 2024-01-17T15:48:32Z (commit 4 to 120 s before)",
		},
		{
			"node after the server phase", "node",
			map[string]builddate.Learned{"server": learned("2024-01-17T15:41:12Z")},
			"2024-01-17T15:41:42Z to 2024-01-17T16:01:12Z (commit of 2024-01-17T15:41:11Z)",
		},
		{
			"client after the node phase", "client",
			map[string]builddate.Learned{"node": learned("2024-01-17T15:49:02Z")},
			"2024-01-17T15:49:12Z to 2024-01-17T15:55:42Z (commit of 2024-01-17T15:41:11Z)",
		},
		{
			"client without a node phase", "client", nil,
			"2024-01-17T15:42:11Z to 2024-01-17T16:12:51Z (commit of 2024-01-17T15:41:11Z)",
		},
		{
			"known, and the commit's time in doubt", "server",
			map[string]builddate.Learned{"server": learned("2024-01-17T15:41:12Z")},
			"2024-01-17T15:41:12Z (commit of 2024-01-17T15:41:11Z); 2024-01-17T15:41:12Z (commit 0 to 300 s before)",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, q := range (&rebuilder{}).questions(builddate.Release{CommitTime: commit, Phases: test.phases}, test.phase) {
				got = append(got, q.String())
			}
			if s := strings.Join(got, "; "); s != test.want {
				t.Errorf("got\n%s\nwant\n%s", s, test.want)
			}
		})
	}
}

func TestDoubtful(t *testing.T) {
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
			CommitTime: builddate.Learned{Date: at(test.commit), How: test.how},
			Phases:     map[string]builddate.Learned{"server": {Date: at(test.server)}},
		}
		if got := doubtful(r); got != test.want {
			t.Errorf("server phase %s, commit %s by %s: doubtful %v, want %v", test.server, test.commit, test.how, got, test.want)
		}
	}
	late := builddate.Release{
		CommitTime: builddate.Learned{Date: at("2023-05-17T21:45:37Z"), How: builddate.Proxy}, // of v1.27.2
		Phases:     map[string]builddate.Learned{"node": {Date: at("2023-05-17T14:18:49Z")}},
	}
	if !doubtful(late) {
		t.Error("a commit after the node phase is not doubtful")
	}
	if doubtful(builddate.Release{CommitTime: builddate.Learned{How: builddate.Proxy}}) {
		t.Error("without a server phase the commit's time is doubtful, want it not known to be")
	}
}

func TestAnswer(t *testing.T) {
	from := time.Date(2024, 1, 17, 15, 0, 0, 0, time.UTC)
	q := question{build: window{from, from.Add(9 * time.Second)}, commit: window{from.Add(-2 * time.Second), from}}
	if q.size() != 30 {
		t.Fatalf("%d dates, want 10 times 3", q.size())
	}
	lagging := question{build: q.build, lag: [2]int64{4, 6}}
	if f := lagging.answer(11); lagging.size() != 30 || !f.build.Equal(from.Add(time.Second)) || !f.commit.Equal(from.Add(-4*time.Second)) {
		t.Errorf("%d dates of which one is %v, want 30, and the second date 5 s after its commit", lagging.size(), f)
	}
	seen := map[found]bool{}
	for i := range q.size() {
		seen[q.answer(i)] = true
	}
	if len(seen) != 30 || !seen[found{true, q.build.to, q.commit.from}] || !seen[found{true, q.build.from, q.commit.to}] {
		t.Errorf("%d different answers of 30, corners among them: %v", len(seen), seen)
	}
}

func TestChunks(t *testing.T) {
	for _, test := range []struct {
		n, want int64
		took    time.Duration
	}{{16, 32, time.Millisecond}, {16, 16, time.Second}, {16, 8, 5 * time.Second}, {1, 1, time.Minute}} {
		if got := nextChunk(test.n, test.took); got != test.want {
			t.Errorf("after %d in %v: got %d, want %d", test.n, test.took, got, test.want)
		}
	}
}
