package results

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

func result(t *testing.T, version, platform, binary, outcome string) Result {
	t.Helper()
	v, err := versions.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	p, err := versions.ParsePlatform(platform)
	if err != nil {
		t.Fatal(err)
	}
	r := Result{Key: Key{v, p, binary}, Outcome: outcome, Build: Build{Toolchain: "go1.26.2"}}
	if outcome == Unbuildable {
		r.Toolchain, r.Reason = "", "no toolchain"
		return r
	}
	if r.SHA256, err = versions.ParseDigest(strings.Repeat("0a", 32)); err != nil {
		t.Fatal(err)
	}
	return r
}

func some(t *testing.T) Results {
	t.Helper()
	r := Results{}
	add := func(result Result) { r[result.Key] = result }
	full := result(t, "v1.36.0", "linux/amd64", "kubelet", Matched)
	full.System, full.Compiler, full.Commit, full.Seconds, full.PeakMiB, full.BuiltWith = "bullseye", "gcc-10 10.2.1-6", "c0ffee", 208, 1607, []string{"kubelet"}
	add(full)
	add(result(t, "v1.36.0", "linux/arm64", "kubectl", Differs))
	add(result(t, "v1.36.0", "linux/amd64", "kubectl", Matched))
	add(result(t, "v1.9.10", "linux/amd64", "kubectl", Unbuildable))
	add(result(t, "v1.36.0", "linux/amd64", "mounter", Matched))
	return r
}

func TestFormatAndBack(t *testing.T) {
	r := some(t)
	back, err := Parse("results", r.Format())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, r) {
		t.Errorf("got %+v back, want %+v", back, r)
	}
	empty, err := Parse("results", Results{}.Format())
	if err != nil || len(empty.All()) != 0 {
		t.Errorf("no results come back as %v, error %v", empty, err)
	}
	if n := strings.Count(string(r.Format()), "\n"); n != 5+5 {
		t.Errorf("%d lines, want one for each result and five around them", n)
	}
}

func TestTable(t *testing.T) {
	const want = `| version | toolchain | kubectl | kubelet | kubeadm | kube-proxy | kube-apiserver | kube-controller-manager | kube-scheduler | mounter |
|---|---|---|---|---|---|---|---|---|---|
| v1.36.0 | go1.26.2 | ✓✗ | ✓· | ·· | ·· | ·· | ·· | ·· | ✓· |
| v1.9.10 |  | –· | ·· | ·· | ·· | ·· | ·· | ·· | ·· |
`
	if got := some(t).Table(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestInsert(t *testing.T) {
	doc := "before\n" + begin + "\nold\n" + end + "\nafter\n"
	r := some(t)
	got, err := r.Insert([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + begin + "\n\n" + r.Table() + "\n" + end + "\nafter\n"; string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again, err := r.Insert(got); err != nil || string(again) != string(got) {
		t.Errorf("inserted twice (error %v):\n%s", err, again)
	}
	for _, bad := range []string{"", begin + "\n", end + "\n", end + "\n" + begin + "\n"} {
		if _, err := r.Insert([]byte(bad)); err == nil {
			t.Errorf("no error for a document with %q", bad)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const key = `"version":"v1.36.0","platform":"linux/amd64","binary":"kubectl"`
	sum := `"sha256":"` + strings.Repeat("0a", 32) + `"`
	tests := []struct{ name, text, want string }{
		{"not JSON", `[`, "reading \"results.json\""},
		{"schema", `{"schema":0,"results":[]}`, "schema"},
		{"unknown key", `{"schema":1,"results":[{"x":1}]}`, "x"},
		{"outcome", `{"schema":1,"results":[{` + key + `,"outcome":"fine"}]}`, "outcome"},
		{"a match without a sha256", `{"schema":1,"results":[{` + key + `,"outcome":"matched"}]}`, "sha256"},
		{"a match with a reason", `{"schema":1,"results":[{` + key + `,"outcome":"matched",` + sum + `,"reason":"x"}]}`, "reason"},
		{"unbuildable without a reason", `{"schema":1,"results":[{` + key + `,"outcome":"unbuildable"}]}`, "reason"},
		{"duplicate", `{"schema":1,"results":[{` + key + `,"outcome":"matched",` + sum + `},{` + key + `,"outcome":"matched",` + sum + `}]}`, "duplicate"},
		{"platform", `{"schema":1,"results":[{"version":"v1.36.0","platform":"linux","binary":"kubectl","outcome":"unbuildable","reason":"x"}]}`, "linux"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Parse("results.json", []byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "results.json") {
				t.Errorf("error %v, want one of results.json with %q", err, test.want)
			}
		})
	}
}
