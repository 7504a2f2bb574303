package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/rebuilt"
	"github.com/hyperkube/hyperkube/versions"
)

// repositoryRoot is this repository.
func repositoryRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := repository(dir)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestCommandLine(t *testing.T) {
	root := repositoryRoot(t)
	tests := []struct{ args, want string }{
		{"", "-version"},
		{"-version 1.36.0", "is not a stable version"},
		{"-version v1.36.0 -platform linux/s390x", "linux/s390x"},
		{"-version v1.36.0 -platform ,", "names none"},
		{"-version v1.36.0 extra", "unexpected argument"},
		{"-version v1.36.0 -search -from 2024-01-17T15:46:26Z", "-to"},
		{"-version v1.36.0 -search -phase node -from 2024-01-17T15:46:26Z -to 2024-01-17T15:46:25Z", "before"},
		{"-version v1.36.0 -search -from 2024-01-17T15:46:26Z -to 2024-01-17T15:46:27Z", "need -phase"},
		{"-version v1.36.0 -phase node", "needs -search"},
		{"-survey -version v1.36.0", "-survey"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			var stderr bytes.Buffer
			env := cli.Env{Args: strings.Fields(test.args), Getenv: func(string) string { return "" }, Dir: root, Out: &stderr, Err: &stderr}
			_, err := parse(env)
			if code := cli.Code("rebuild", &stderr, err); code != cli.ExitUsage || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("exits with %d and %q, want %d and %q", code, &stderr, cli.ExitUsage, test.want)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	root := repositoryRoot(t)
	env := cli.Env{
		Args:   strings.Fields("-version v1.36.0 -binary kubectl,,kubelet,kubectl -platform linux/arm64 -provenance p.json"),
		Getenv: func(name string) string { return map[string]string{"HYPERKUBE_CACHE": "/cache"}[name] },
		Dir:    filepath.Join(root, "tools"), Out: &bytes.Buffer{}, Err: &bytes.Buffer{},
	}
	c, err := parse(env)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"cache":      {c.cache, "/cache/rebuild"},
		"store":      {c.store, "/cache/store"},
		"dates":      {c.dates, filepath.Join(root, "versions", "builddates.json")},
		"provenance": {c.provenance, filepath.Join(root, "tools", "p.json")},
		"binaries":   {strings.Join(c.binaries, " "), "kubectl kubelet"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
	if !c.again {
		t.Error("-provenance does not rebuild what is in the store, so there would be no statement of it")
	}
	env.Dir = t.TempDir()
	if _, err := parse(env); err == nil || !strings.Contains(err.Error(), "versions/lock.json") {
		t.Errorf("outside of the repository: error %v, want one that says what is missing", err)
	}
}

func TestJobs(t *testing.T) {
	catalog, _, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	v := must(versions.ParseVersion("v1.36.0"))(t)
	names := func(binaries ...string) (string, error) {
		c := config{version: v, binaries: binaries, platforms: []versions.Platform{platform("linux/amd64"), platform("linux/arm64")}}
		jobs, err := c.jobs(catalog)
		var all []string
		for _, j := range jobs {
			all = append(all, j.binary+"/"+j.platform.Arch())
		}
		return strings.Join(all, " "), err
	}
	if got, err := names("kubectl"); err != nil || got != "kubectl/amd64 kubectl/arm64" {
		t.Errorf("kubectl: %q, %v", got, err)
	}
	if got, err := names(); err != nil || !strings.Contains(got, "kubectl/amd64") || !strings.Contains(got, "kubelet/arm64") {
		t.Errorf("those of the flavors: %q, %v", got, err)
	}
	if got, err := names("all"); err != nil || strings.Count(got, " ") != 23 {
		t.Errorf("all: %q, %v, want 12 binaries for 2 platforms", got, err)
	}
	if _, err := names("kubectl", "sleep"); cli.Code("", &bytes.Buffer{}, err) != cli.ExitUsage {
		t.Errorf("an unknown binary: %v, want wrong usage", err)
	}
	v = must(versions.ParseVersion("v9.9.9"))(t)
	if _, err := names("kubectl"); err == nil {
		t.Error("a version that the lock does not have: no error")
	}
}

func TestVerdict(t *testing.T) {
	for code, outcomes := range map[int][]outcome{
		0:              {{status: matched}, {status: stored}},
		cli.ExitFailed: {{status: matched}, {status: unbuildable}},
		cli.ExitDrift:  {{status: unbuildable}, {status: differs}},
	} {
		if got := cli.Code("", &bytes.Buffer{}, verdict(outcomes)); got != code {
			t.Errorf("exit %d for %v, want %d", got, outcomes, code)
		}
	}
}

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

func TestSurveyOrder(t *testing.T) {
	catalog, _, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	root := repositoryRoot(t)
	dates := must(builddate.Parse("dates", must(os.ReadFile(filepath.Join(root, filepath.FromSlash(builddate.File))))(t)))(t)
	none := must(rebuilt.Parse("none", []byte(`{"schema": 1, "results": []}`)))(t)
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
		none.Set(rebuilt.Result{Version: picked, Platform: platform("linux/amd64"), Binary: binary, Outcome: rebuilt.Unbuildable, Why: "refused"})
	}
	other := surveyOrder(catalog, dates, none)[3].version
	if other == picked || other.MinorLabel() != picked.MinorLabel() {
		t.Errorf("after nothing of %s could be built, %s is next, want another one of the minor", picked, other)
	}
	none.Set(rebuilt.Result{Version: picked, Platform: platform("linux/arm64"), Binary: "kubectl", Outcome: rebuilt.Matched})
	if other := surveyOrder(catalog, dates, none)[3].version; other != picked {
		t.Errorf("after a match of %s, %s is next", picked, other)
	}
	// Where something matched, the rest follows.
	begun := mustVersion("v1.33.1")
	none.Set(rebuilt.Result{Version: begun, Platform: platform("linux/arm64"), Binary: "kubectl", Outcome: rebuilt.Matched})
	if next := surveyOrder(catalog, dates, none)[4].version; next != begun {
		t.Errorf("after a match of %s, %s is next of its minor", begun, next)
	}
	if len(order) < 190 {
		t.Errorf("%d versions, want all that the lock has server binaries of", len(order))
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

// What gcc leaves of its folder where it is told a name for it, and where not.
func TestNamesItsFolder(t *testing.T) {
	for archive, want := range map[string]bool{
		"GNU C17 10.2.1 20210110\x00/tmp/go-build\x00/_/GOROOT/src/runtime/cgo\x00": false,
		"\x00/tmp/go-build2092463537/b072\x00GNU C17 10.2.1 20210110 -m64 -mtune":   true,
		"\x00/tmp.k8s/go-build7/b072/_cgo_export.c":                                 true,
	} {
		if got := namesItsFolder([]byte(archive)); got != want {
			t.Errorf("%q: got %v, want %v", archive, got, want)
		}
	}
}

// Room is made by what was used last longest ago.
func TestCachesByUse(t *testing.T) {
	dir := t.TempDir()
	for name, minutes := range map[string]int{"b": 1, "a": 3, "c": 2} {
		s := &step{cache: filepath.Join(dir, name)}
		if err := s.makeCache(); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(-minutes) * time.Minute)
		if err := os.Chtimes(s.cache, at, at); err != nil {
			t.Fatal(err)
		}
	}
	used := &step{cache: filepath.Join(dir, "a")}
	if err := used.makeCache(); err != nil { // used again
		t.Fatal(err)
	}
	caches, err := cachesByUse(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"c", "b", "a"} {
		if len(caches) != 3 || caches[i] != filepath.Join(dir, want) {
			t.Fatalf("got %q, want c, b, a", caches)
		}
	}
	if none, err := cachesByUse(filepath.Join(dir, "none")); err != nil || len(none) > 0 {
		t.Errorf("without a folder: got %q (error %v), want none", none, err)
	}
}

func TestWorkDirs(t *testing.T) {
	parent := t.TempDir()
	first, err := newWorkDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(parent, "build-killed", "output"), 0o755); err != nil {
		t.Fatal(err)
	}
	second, err := newWorkDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(parent, "build-killed")); !os.IsNotExist(err) {
		t.Errorf("the folder of a killed build is still there (%v)", err)
	}
	if _, err := os.Stat(first.dir); err != nil {
		t.Errorf("the folder of a build under way was swept: %v", err)
	}
	if first.dir == second.dir {
		t.Error("two builds have one folder")
	}
	for _, w := range []*workDir{first, second} {
		if err := w.remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(parent, "build-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestMemory(t *testing.T) {
	// A shell that has a child which holds 64 MiB.
	cmd := exec.Command("/bin/sh", "-c", "head -c 67108864 /dev/zero | tail -c 67108864 | sleep 1; true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m := &memory{}
	stop := m.follow(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	stop()
	if got := m.peak() >> 20; got < 60 || got > 200 {
		t.Errorf("peak of %d MiB, want the child's 64 and little more", got)
	}
}

func TestFreeMemory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "meminfo")
	if err := os.WriteFile(name, []byte("MemTotal:  9 kB\nMemAvailable:    2048 kB\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, ok := freeMemory(name); got != 2<<20 || !ok {
		t.Errorf("got %d, %v, want 2 MiB", got, ok)
	}
	if _, ok := freeMemory(name + "x"); ok {
		t.Error("a file that is not there told of free memory")
	}
}

func TestOverridesTrimming(t *testing.T) {
	for _, test := range []struct {
		args string
		want bool
	}{
		{"install -gcflags=all=-trimpath=/workspace -tags=selinux cmd/kubelet", true}, // 1.29
		{"install -trimpath -gcflags= cmd/kubelet", false},                            // 1.30
		{"install -trimpath -gcflags=all=-trimpath=/x cmd/kubelet", false},
		{"install cmd/kubelet", false},
	} {
		if got := overridesTrimming(strings.Fields(test.args)); got != test.want {
			t.Errorf("%s: %v, want %v", test.args, got, test.want)
		}
	}
}

func TestReasonsAreGeneral(t *testing.T) {
	r := recorder{lock: "/home/me/.cache/hyperkube/rebuild/results.lock"}
	got := r.general(`reading https://proxy.example/x/@v/v1.0.0.info: 403 Forbidden; in "/home/me/.cache/hyperkube/rebuild/trees": no`)
	if want := `reading (an address) 403 Forbidden; in "$HYPERKUBE_CACHE/rebuild/trees": no`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The table that people read is that of the results.
func TestTableIsFresh(t *testing.T) {
	r := recorder{root: repositoryRoot(t)}
	results, err := r.read()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(r.file(rebuilt.DocFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := results.Insert(doc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, want) {
		t.Errorf("the table in %s is not that of %s; mend it with: go run ./tools/rebuild -table", rebuilt.DocFile, rebuilt.File)
	}
}
