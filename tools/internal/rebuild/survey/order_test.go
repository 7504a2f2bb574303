package survey

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/versions"
)

func TestOrder(t *testing.T) {
	catalog, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	dates := must(builddate.Database{}.Read())(t)
	none := must(results.Parse("none", []byte(`{"schema": 1, "results": []}`)))(t)
	add := func(r results.Result) { none[r.Key] = r }
	entries := order(catalog, dates, none)
	var got []string
	for _, s := range entries[:18] {
		got = append(got, fmt.Sprintf("%s %d", s.version.MinorLabel(), len(s.binaries)))
	}
	want := "v1_36 7, v1_29 4, v1_34 7, v1_35 3, v1_33 3, v1_32 3, v1_31 3, v1_30 3, v1_35 4, v1_33 4, v1_32 4, v1_31 4, v1_30 4, " +
		"v1_28 4, v1_27 4, v1_26 4, v1_25 4, v1_24 4"
	if strings.Join(got, ", ") != want {
		t.Errorf("got   %s\nwant  %s", strings.Join(got, ", "), want)
	}
	for _, s := range entries[:18] {
		if r := dates.Release(s.version); knownDates(r) != 4 {
			t.Errorf("%s is next, with too few known dates: %v", s.version, r)
		}
	}
	// A version without any buildable binary is replaced by another patch. One with
	// a match is not.
	picked := entries[3].version
	for _, binary := range []string{"kubectl", "kubeadm"} {
		add(results.Result{Key: results.Key{Version: picked, Platform: platform("linux/amd64"), Binary: binary}, Outcome: results.Unbuildable, Reason: "refused"})
	}
	other := order(catalog, dates, none)[3].version
	if other == picked || other.MinorLabel() != picked.MinorLabel() {
		t.Errorf("with %s unbuildable, %s is next, want another one of the minor", picked, other)
	}
	add(results.Result{Key: results.Key{Version: picked, Platform: platform("linux/arm64"), Binary: "kubectl"}, Outcome: results.Matched})
	if other := order(catalog, dates, none)[3].version; other != picked {
		t.Errorf("after a match of %s, %s is next", picked, other)
	}
	// The other binaries of a version with a match are next.
	partial := mustVersion("v1.33.1")
	add(results.Result{Key: results.Key{Version: partial, Platform: platform("linux/arm64"), Binary: "kubectl"}, Outcome: results.Matched})
	if next := order(catalog, dates, none)[4].version; next != partial {
		t.Errorf("after a match of %s, %s is next of its minor", partial, next)
	}
	if len(entries) < 190 {
		t.Errorf("%d versions, want all with server binaries in the lock", len(entries))
	}
}

// A wrong commit time and a missing date lower the score.
func TestKnownDates(t *testing.T) {
	at := func(s string) builddate.Timestamp {
		return builddate.Timestamp{Date: must(time.Parse(time.RFC3339, s))(t)}
	}
	tests := []struct {
		name, commit string
		phases       map[string]builddate.Timestamp
		want         int
	}{
		{"all", "2026-02-26T20:02:50Z", map[string]builddate.Timestamp{"node": at("2026-02-26T20:04:53Z"), "client": at("2026-02-26T20:05:34Z")}, 4},
		{"wrong commit time", "2026-02-27T20:02:50Z", map[string]builddate.Timestamp{"node": at("2026-02-26T20:04:53Z"), "client": at("2026-02-26T20:05:34Z")}, 2},
		{"no client date", "2026-02-26T20:02:50Z", map[string]builddate.Timestamp{"node": at("2026-02-26T20:04:53Z")}, 2},
		{"server date only", "2026-02-26T20:02:50Z", map[string]builddate.Timestamp{"server": at("2026-02-26T20:02:51Z")}, 0},
	}
	for _, test := range tests {
		r := builddate.Release{Commit: builddate.Commit{Hash: "c"}, CommitTime: at(test.commit), Phases: test.phases}
		if got := knownDates(r); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
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

func platform(s string) versions.Platform { return must(versions.ParsePlatform(s))(nil) }
