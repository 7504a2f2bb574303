package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
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
		{"-survey -plan", "builds nothing"},
		{"-version v1.36.0 -plan -provenance p.json", "builds nothing"},
		{"-version v1.36.0 -search -plan", "-search goes with none"},
		{"-version v1.36.0 -search -binary kubectl", "-search goes with none"},
		{"-version v1.36.0 -compilers 0", "-compilers"},
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
