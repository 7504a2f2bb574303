//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Images that podman made of official binaries are verified, in the formats of docker
// and OCI, and so are those with a changed or a foreign binary.
func TestVerifyOthersImages(t *testing.T) {
	r := startRegistry(t)
	podman := newPodman(t)
	dir := t.TempDir()
	kubelet := stored(t, "kubernetes/"+version+"/linux/amd64/kubelet")
	changed := append([]byte{}, kubelet...)
	changed[len(changed)/2] ^= 1
	for name, content := range map[string][]byte{
		"kubelet": kubelet, "kubectl": stored(t, "kubernetes/"+version+"/linux/amd64/kubectl"), "changed": changed, "foreign": []byte("#!/bin/sh\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		kubelet string // file in the image
		code    int
		want    string // about it
	}{
		"official": {"kubelet", 0, "official kubernetes/" + version + "/linux/amd64/kubelet"},
		"changed":  {"changed", 3, "changed after the build"},
		"foreign":  {"foreign", 3, "a script, not a binary"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name+".dockerfile")
			text := fmt.Sprintf("FROM scratch\nCOPY %s /usr/bin/kubelet\nCOPY kubectl /usr/bin/kubectl\n", test.kubelet)
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			image := "localhost/" + name + ":v1"
			podman("build", "--quiet", "--platform", "linux/amd64", "--tag", image, "--file", file, dir)
			var sources []string
			for _, format := range []string{"docker-archive", "oci-archive"} {
				archive := filepath.Join(t.TempDir(), format+".tar")
				podman("save", "--format", format, "--output", archive, image)
				sources = append(sources, archive)
			}
			for _, format := range []string{"v2s2", "oci"} {
				ref := r.addr + "/others/" + name + ":" + format
				podman("push", "--tls-verify=false", "--format", format, image, ref)
				sources = append(sources, ref)
			}
			for _, source := range sources {
				got := run(t, nil, "go", "run", "./tools/hk", "verify", source)
				// "go run" prints the exit code of the program, and exits with 1.
				if code := exitCode(got); code != test.code || !strings.Contains(got.stdout, test.want) {
					t.Errorf("%s: exit code %d, want %d\n%s", source, code, test.code, got.stdout)
				}
				if !strings.Contains(got.stdout, "official kubernetes/"+version+"/linux/amd64/kubectl") {
					t.Errorf("%s: kubectl is not official\n%s", source, got.stdout)
				}
			}
		})
	}
}

// exitCode returns the exit code of a program that "go run" ran.
func exitCode(r result) int {
	code := r.code
	for line := range strings.Lines(r.stderr) {
		fmt.Sscanf(line, "exit status %d", &code)
	}
	return code
}

// A pushed image of this repository is on record, and its binaries are official.
func TestVerifyPushed(t *testing.T) {
	r := startRegistry(t)
	name := "hyperkube:" + version
	ref := r.addr + "/mirror/" + name
	must(t, "go", "run", "./tools/hk", "push", name, "--repository", r.addr+"/mirror/hyperkube")
	out := must(t, "go", "run", "./tools/hk", "verify", ref)
	want := record(t, name)
	for _, text := range []string{
		ref + " " + want.Index + ", on record as " + name + "\n",
		"linux/arm64 " + want.Manifests["linux/arm64"] + ", on record as " + name + "\n",
		"official kubernetes/" + version + "/linux/arm64/kubelet; rebuilt from source\n",
	} {
		if !strings.Contains(out, text) {
			t.Errorf("got\n%s\nwant %q in it", out, text)
		}
	}
}
