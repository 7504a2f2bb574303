package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/versions"
)

func TestSurveyOrder(t *testing.T) {
	catalog, _, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	root := repositoryRoot(t)
	dates := must(builddate.Parse("dates", must(os.ReadFile(filepath.Join(root, filepath.FromSlash(builddate.File))))(t)))(t)
	none := must(results.Parse("none", []byte(`{"schema": 1, "results": []}`)))(t)
	order := surveyOrder(catalog, dates, none)
	var got []string
	for _, s := range order[:18] {
		got = append(got, fmt.Sprintf("%s %d", s.version.MinorLabel(), len(s.binaries)))
	}
	want := "v1_36 7, v1_29 4, v1_34 7, v1_35 3, v1_33 3, v1_32 3, v1_31 3, v1_30 3, v1_35 4, v1_33 4, v1_32 4, v1_31 4, v1_30 4, " +
		"v1_28 4, v1_27 4, v1_26 4, v1_25 4, v1_24 4"
	if strings.Join(got, ", ") != want {
		t.Errorf("begins with  %s\nwant         %s", strings.Join(got, ", "), want)
	}
	for _, s := range order[:18] {
		if r := dates.Release(s.version); knowledge(r) != 4 {
			t.Errorf("%s is picked, of which too little is known: %v", s.version, r)
		}
	}
	// What cannot be built at all makes place for another patch; what matched
	// in part does not.
	picked := order[3].version
	for _, binary := range []string{"kubectl", "kubeadm"} {
		none.Set(results.Result{Version: picked, Platform: platform("linux/amd64"), Binary: binary, Outcome: results.Unbuildable, Why: "refused"})
	}
	other := surveyOrder(catalog, dates, none)[3].version
	if other == picked || other.MinorLabel() != picked.MinorLabel() {
		t.Errorf("after nothing of %s could be built, %s is next, want another one of the minor", picked, other)
	}
	none.Set(results.Result{Version: picked, Platform: platform("linux/arm64"), Binary: "kubectl", Outcome: results.Matched})
	if other := surveyOrder(catalog, dates, none)[3].version; other != picked {
		t.Errorf("after a match of %s, %s is next", picked, other)
	}
	// Where something matched, the rest follows.
	begun := mustVersion("v1.33.1")
	none.Set(results.Result{Version: begun, Platform: platform("linux/arm64"), Binary: "kubectl", Outcome: results.Matched})
	if next := surveyOrder(catalog, dates, none)[4].version; next != begun {
		t.Errorf("after a match of %s, %s is next of its minor", begun, next)
	}
	if len(order) < 190 {
		t.Errorf("%d versions, want all that the lock has server binaries of", len(order))
	}
}

// A wrong commit time makes a version a bad choice, and so does a date missing.
func TestKnowledge(t *testing.T) {
	at := func(s string) builddate.Learned { return builddate.Learned{Date: must(time.Parse(time.RFC3339, s))(t)} }
	tests := []struct {
		name, commit string
		phases       map[string]builddate.Learned
		want         int
	}{
		{"all", "2026-02-26T20:02:50Z", map[string]builddate.Learned{"node": at("2026-02-26T20:04:53Z"), "client": at("2026-02-26T20:05:34Z")}, 4},
		{"wrong commit time", "2026-02-27T20:02:50Z", map[string]builddate.Learned{"node": at("2026-02-26T20:04:53Z"), "client": at("2026-02-26T20:05:34Z")}, 2},
		{"no client date", "2026-02-26T20:02:50Z", map[string]builddate.Learned{"node": at("2026-02-26T20:04:53Z")}, 2},
		{"of no use", "2026-02-26T20:02:50Z", map[string]builddate.Learned{"server": at("2026-02-26T20:02:51Z")}, 0},
	}
	for _, test := range tests {
		r := builddate.Release{Commit: "c", CommitTime: at(test.commit), Phases: test.phases}
		if got := knowledge(r); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}
