package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

// TestServer serves a registry with two modules; one has no git directory.
func TestServer(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	c := config{registry: t.TempDir(), modules: t.TempDir(), store: t.TempDir(), dir: t.TempDir()}
	write(t, filepath.Join(c.registry, "modules/rules/1.0/MODULE.bazel"), "module(name = \"rules\", version = \"1.0\")\n")
	write(t, filepath.Join(c.registry, "modules/rules/1.0/source.json"), `{"url":"https://github.com/owner/rules/releases/download/v1.0/rules-v1.0.tar.gz",
		"integrity":"sha256-old","strip_prefix":"rules-1.0","patches":{"lib.patch":"sha256-x"},"patch_strip":1}`)
	write(t, filepath.Join(c.registry, "modules/rules/1.0/patches/lib.patch"), "--- a/lib.bzl\n+++ b/lib.bzl\n@@ -1 +1 @@\n-A = 1\n+A = 2\n")
	const other = `{"url":"https://github.com/owner/other/archive/refs/tags/v2.tar.gz","integrity":"sha256-other"}`
	write(t, filepath.Join(c.registry, "modules/other/2/source.json"), other)
	repository := filepath.Join(c.modules, "owner+rules")
	write(t, filepath.Join(repository, "lib.bzl"), "A = 1\n")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=x", "-c", "user.email=x@x.invalid", "commit", "-qm", "x"}, {"tag", "v1.0"}} {
		if out, err := exec.Command("git", append([]string{"-C", repository}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	if err := os.Rename(filepath.Join(repository, ".git"), filepath.Join(repository, "repo")); err != nil {
		t.Fatal(err)
	}
	log := new(strings.Builder)
	if err := os.Mkdir(filepath.Join(c.dir, "archives"), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := newServer(c, versions.NewLock(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()

	var got source
	if err := json.Unmarshal([]byte(get(t, s, "registry/modules/rules/1.0/source.json")), &got); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "archive")
	write(t, archive, get(t, s, strings.TrimPrefix(got.URL, "https://")))
	sum, err := sha256File(archive)
	if want := "sha256-" + base64.StdEncoding.EncodeToString(sum); err != nil || got.Integrity != want || len(got.Patches) > 0 {
		t.Errorf("source.json: got %+v, %v; want integrity %s and no patches", got, err, want)
	}
	if lib, err := exec.Command("tar", "-xOzf", archive, "./lib.bzl", "./MODULE.bazel").Output(); string(lib) != "A = 2\nmodule(name = \"rules\", version = \"1.0\")\n" {
		t.Errorf("archive: got %q, %v; want the patched tag", lib, err)
	}
	if got := get(t, s, "registry/modules/other/2/source.json"); got != other {
		t.Errorf("module without a git directory: got %s, want %s", got, other)
	}
	if get(t, s, "github.com/owner/other/archive/refs/tags/v2.tar.gz"); !strings.Contains(log.String(), "has no git directory owner+other") {
		t.Errorf("got log %q", log)
	}
	if err := s.checkNoUnknownHosts(); err != nil {
		t.Error(err)
	}
	// The list of Go releases: rules_go does not need it, and Bazel blocks the request.
	if get(t, s, "go.dev/dl/"); !strings.Contains(log.String(), "is not served") || s.checkNoUnknownHosts() == nil {
		t.Errorf("got log %q, want an error for an unknown host", log)
	}
	if err := s.checkNoBinaries(); err != nil {
		t.Error(err)
	}
	get(t, s, "dl.k8s.io/release/v1.36.0/bin/linux/amd64/kubectl")
	if err := s.checkNoBinaries(); err == nil || !strings.Contains(err.Error(), "v1.36.0/bin/linux/amd64/kubectl") {
		t.Errorf("after a request for kubectl: got %v, want an error with its path", err)
	}
	get(t, s, "example.com/x")
	if err := s.checkNoUnknownHosts(); err == nil || !strings.Contains(err.Error(), "example.com/x") {
		t.Errorf("after a request to example.com: got %v, want an error with its path", err)
	}
}

func get(t *testing.T, s *server, path string) string {
	t.Helper()
	response, err := http.Get(s.url + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
