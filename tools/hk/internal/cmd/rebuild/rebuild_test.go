package rebuild

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/cli/subcommand"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/versions"
)

// run runs a command in dir and returns its exit code and its output. Its context
// is canceled, so no command starts a build.
func run(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cache := t.TempDir()
	var out bytes.Buffer
	env := cli.Env{
		Args: args, Dir: dir, Out: &out, Err: &out,
		Getenv: func(name string) string { return map[string]string{"HYPERKUBE_CACHE": cache}[name] },
	}
	return cli.Code("rebuild", &out, subcommand.Execute(ctx, env, New(env))), out.String()
}

func TestUsageErrors(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"", "Usage:"},
		{"rnu", `unknown command "rnu"`},
		{"run", "accepts 1 arg"},
		{"run 1.36.0", "1.36.0"},
		{"run v1.36.0 extra", "accepts 1 arg"},
		{"run v1.36.0 --platform linux/s390x", "linux/s390x"},
		{"run v1.36.0 --platform ,", "--platform"},
		{"run v1.36.0 --parallel 0", "--parallel"},
		{"run v1.36.0 --binary kubectl,sleep", `"sleep"`},
		{"plan v1.36.0 --provenance p.json", "unknown flag: --provenance"},
		{"search v1.36.0 --binary kubectl", "unknown flag: --binary"},
		{"search v1.36.0 --phase nodes", `want one of server, node, client, got "nodes"`},
		{"search v1.36.0 --from 2024-01-17T15:46:26Z", "need --phase"},
		{"search v1.36.0 --phase node --from 2024-01-17T15:46:26Z", "--to"},
		{"search v1.36.0 --phase node --from 2024-01-17T15:46:26Z --to 2024-01-17T15:46:25Z", "before"},
		{"survey v1.36.0", "unknown command"},
		{"table v1.36.0", "unknown command"},
	} {
		t.Run(test.args, func(t *testing.T) {
			if code, out := run(t, "/", strings.Fields(test.args)...); code != cli.ExitUsage || !strings.Contains(out, test.want) {
				t.Errorf("exit %d, output\n%s\nwant %d and %q", code, out, cli.ExitUsage, test.want)
			}
		})
	}
}

func TestOutsideOfCheckout(t *testing.T) {
	for _, args := range []string{"run v1.36.0 --record", "survey", "table"} {
		if code, out := run(t, t.TempDir(), strings.Fields(args)...); code != cli.ExitFailed || !strings.Contains(out, "not in a checkout") {
			t.Errorf("%s: exit %d, output\n%s", args, code, out)
		}
	}
	if code, out := run(t, t.TempDir(), "search", "v1.36.0"); code != cli.ExitFailed || !strings.Contains(out, "--dates") {
		t.Errorf("search: exit %d, output\n%s", code, out)
	}
}

func TestOptions(t *testing.T) {
	root, err := filepath.Abs("../../../../..")
	if err != nil {
		t.Fatal(err)
	}
	env := cli.Env{Dir: filepath.Join(root, "tools"), Getenv: func(name string) string {
		return map[string]string{"HYPERKUBE_CACHE": "/cache"}[name]
	}}
	o := options{platforms: []string{"linux/arm64"}, goSum: "go.sum", parallel: 3}
	s, err := o.open(env, []string{"v1.36.0"})
	if err != nil {
		t.Fatal(err)
	}
	if s.rebuilder.Store != nil {
		t.Error("a store without --store and storeFromEnv")
	}
	o.storeFromEnv = true
	if s, err = o.open(env, []string{"v1.36.0"}); err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]string{
		"cache":   {s.rebuilder.Builder.Dir(), "/cache/rebuild"},
		"store":   {filepath.Dir(s.rebuilder.Store.Path(versions.Digest{})), "/cache/store"},
		"dates":   {s.rebuilder.Dates.Path, filepath.Join(root, "versions", "builddates.json")},
		"go.sum":  {s.rebuilder.Builder.GoSum, filepath.Join(root, "tools", "go.sum")},
		"results": {s.recorder.Root, root},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", name, pair[0], pair[1])
		}
	}
	o.store, o.dates = "own", "dates.json"
	if s, err = o.open(env, nil); err != nil || s.rebuilder.Dates.Path != filepath.Join(root, "tools", "dates.json") || s.rebuilder.Store == nil {
		t.Errorf("with --store and --dates: %+v, error %v", s.rebuilder, err)
	}
	env.Dir = t.TempDir()
	o = options{parallel: 1}
	if s, err = o.open(env, nil); err != nil || s.Root != "" || s.rebuilder.Dates.Path != "" {
		t.Errorf("outside of a checkout: root %q, dates %q, error %v", s.Root, s.rebuilder.Dates.Path, err)
	}
}

func TestTable(t *testing.T) {
	root := t.TempDir()
	for name, from := range map[string]string{
		versions.ManifestFile: versions.ManifestFile, versions.LockFile: versions.LockFile, results.File: results.File,
		results.DocFile: results.DocFile, "images/digests.json": "images/digests.json",
	} {
		data, err := os.ReadFile(filepath.Join("../../../../..", from))
		if err != nil {
			t.Fatal(err)
		}
		if name == results.DocFile {
			data = bytes.ReplaceAll(data, []byte("| v1.36.0 | go"), []byte("| v0.0.0 | go"))
		}
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := run(t, root, "table"); code != 0 {
		t.Fatalf("exit %d, output\n%s", code, out)
	}
	doc, err := os.ReadFile(filepath.Join(root, results.DocFile))
	if err != nil || !bytes.Contains(doc, []byte("\n| v1.36.0 | go")) || bytes.Contains(doc, []byte("v0.0.0")) {
		t.Errorf("the table was not updated (error %v)", err)
	}
}

func TestJSONOutcome(t *testing.T) {
	v, err := versions.ParseVersion("v1.36.0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := versions.ParsePlatform("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	d, err := versions.ParseDigest(strings.Repeat("0a", 32))
	if err != nil {
		t.Fatal(err)
	}
	job := rebuild.Job{Key: results.Key{Version: v, Binary: "kubectl", Platform: p}, Want: d}
	got, err := json.Marshal(rebuild.Outcome{Job: job, Status: rebuild.Unbuildable, Reason: "no date", Build: results.Build{Commit: "c"}})
	want := `{"version":"v1.36.0","platform":"linux/amd64","binary":"kubectl","sha256":"` + d.String() + `","status":"unbuildable","reason":"no date"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, error %v, want %s", got, err, want)
	}
}
