//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/versions"
)

// copyRepo copies this repository, with another manifest and no records.
func copyRepo(t *testing.T, base v1.Hash) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "repo")
	list := must(t, "git", "ls-files", "-coz", "--exclude-standard")
	for file := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		from := filepath.Join(root(t), file)
		raw, err := os.ReadFile(from)
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, but not yet in the index of git
		}
		info, err2 := os.Stat(from)
		if err := errors.Join(err, err2, os.MkdirAll(filepath.Dir(filepath.Join(to, file)), 0o755)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, file), raw, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	catalog, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	lock := versions.NewLock()
	for _, platform := range platforms {
		lock.Set(pin(t, "programs/"+platform+"/sleep"))
	}
	source, _ := catalog.Manifest.Source("programs")
	for file, text := range map[string]string{
		versions.ManifestFile: fmt.Sprintf(basedManifest, source.Toolchain, base),
		versions.LockFile:     string(lock.Format()),
		"images/digests.json": "{}\n",
	} {
		if err := os.WriteFile(filepath.Join(to, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// runIn is run in another directory.
func runIn(t *testing.T, dir string, env []string, command string, args ...string) result {
	t.Helper()
	shell := append([]string{"-c", `cd "$0" && exec "$@"`, dir, command}, args...)
	return run(t, env, "sh", shell...)
}
