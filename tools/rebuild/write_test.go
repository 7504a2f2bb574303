package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
)

// Two searches of one version may end in any order.
func TestLearnKeepsOtherPhases(t *testing.T) {
	dates := filepath.Join(t.TempDir(), "dates.json")
	if err := os.WriteFile(dates, []byte(`{"schema": 1, "releases": []}`), 0o644); err != nil {
		t.Fatal(err)
	}
	commit := time.Date(2026, 4, 22, 13, 51, 51, 0, time.UTC)
	began := builddate.Release{
		Version: small, Commit: "00112233445566778899aabbccddeeff00112233", CommitHow: builddate.Proxy,
		CommitTime: builddate.Learned{Date: commit.Add(time.Hour), How: builddate.Proxy},
	}
	r := &rebuilder{config: config{dates: dates, cache: t.TempDir()}}
	for phase, of := range map[string]time.Time{"server": commit, "node": commit.Add(time.Hour), "client": commit.Add(time.Hour)} {
		if err := r.learn(t.Context(), began.With(phase, commit.Add(2*time.Hour), of), phase); err != nil {
			t.Fatal(err)
		}
	}
	known, err := r.dates()
	if err != nil {
		t.Fatal(err)
	}
	got := known.Release(small)
	if len(got.Phases) != 3 || got.Commit != began.Commit {
		t.Errorf("known is %+v, want three phases and the commit", got)
	}
	if !got.CommitTime.Date.Equal(commit) || got.CommitTime.How != builddate.Search {
		t.Errorf("the commit is of %v, want of %v as one search found", got.CommitTime, commit)
	}
}

func TestSearchNotes(t *testing.T) {
	n := searchNote{filepath.Join(t.TempDir(), "search", "note.json")}
	first := searched{Program: "p", Want: "w", Question: "q"}
	done := first
	done.Next = 7
	if err := n.save(done); err != nil {
		t.Fatal(err)
	}
	for of, want := range map[searched]int64{
		first:                                    7,
		{Program: "x", Want: "w", Question: "q"}: 0, // built of something else
		{Program: "p", Want: "x", Question: "q"}: 0,
		{Program: "p", Want: "w", Question: "x"}: 0,
	} {
		if got, err := n.next(of); got != want || err != nil {
			t.Errorf("%v: begins at %d (error %v), want %d", of, got, err, want)
		}
	}
}
