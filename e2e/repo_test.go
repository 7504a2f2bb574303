//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

// version is the Kubernetes version that is tested. The others differ only in the
// bytes of the binaries.
const version = "v1.36.0"

// root returns the root of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// result is the output of a command, and its exit code.
type result struct {
	stdout, stderr string
	code           int
}

// run runs a command in the repository with additional environment variables, and
// prints its errors as they come.
func run(t *testing.T, env []string, name string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout = &stdout
	cmd.Stderr = io.MultiWriter(&stderr, os.Stderr)
	t.Logf("$ %s %s %s", strings.Join(env, " "), name, strings.Join(args, " "))
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must runs a command, fails the test if the command fails, and returns its
// output.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	r := run(t, nil, name, args...)
	if r.code != 0 {
		t.Fatalf("%s %q: exit code %d\n%s", name, args, r.code, r.stderr)
	}
	return r.stdout
}

// digests is the record of an image in images/digests.json.
type digests struct {
	Index     string
	Manifests map[string]string
}

func record(t *testing.T, name string) digests {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), "images", "digests.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records map[string]digests
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	if records[name].Index == "" {
		t.Fatalf("%s has no record in images/digests.json", name)
	}
	return records[name]
}

// pin returns the pin of a file from the lock.
func pin(t *testing.T, key string) versions.Pin {
	t.Helper()
	catalog, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	k, err := versions.ParseFileKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := catalog.Lock.Pin(k)
	if !ok {
		t.Fatalf("%s is not pinned", key)
	}
	return p
}
