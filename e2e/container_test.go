//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// container runs programs in the file system of an image, with all capabilities and
// in namespaces of their own. It has no network but the loopback interface. Changes of
// files remain until the end of the test.
type container struct {
	root  string
	binds []string // arguments of bwrap
}

// unpack builds an image for a platform and unpacks its layers.
func unpack(t *testing.T, image, platform string) container {
	t.Helper()
	layout := filepath.Join(t.TempDir(), "layout")
	must(t, "go", "run", "./tools/hk", "build", image, "--platform", platform, "-o", layout)
	blob := func(digest string) string {
		return filepath.Join(layout, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
	}
	type descriptor struct{ Digest string }
	var document struct{ Manifests, Layers []descriptor }
	for file := filepath.Join(layout, "index.json"); document.Layers == nil; file = blob(document.Manifests[0].Digest) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &document); err != nil {
			t.Fatal(err)
		}
	}
	c := container{root: filepath.Join(t.TempDir(), "root")}
	if err := os.Mkdir(c.root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, layer := range document.Layers {
		must(t, "tar", "-xpzf", blob(layer.Digest), "-C", c.root, "--numeric-owner")
	}
	return c
}

// run executes a program in the container and returns its output.
func (c container) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	bwrap := append([]string{"--clearenv", "--bind", c.root, "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind", "/sys", "/sys", "--tmpfs", "/run"}, c.binds...)
	bwrap = append(bwrap, "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "node-1.example", "--cap-add", "ALL",
		"--die-with-parent", "--setenv", "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "--")
	cmd := exec.CommandContext(t.Context(), client(t, "bwrap"), append(bwrap, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return string(out), err
}

// bash executes a script in the container, which must print want.
func (c container) bash(t *testing.T, script, want string) {
	t.Helper()
	out, err := c.run(t, "/bin/bash", "-euc", script)
	if err != nil || strings.TrimSpace(out) != strings.TrimSpace(want) {
		t.Errorf("%s\nprinted %q, %v\nwant %q", script, out, err, want)
	}
}
