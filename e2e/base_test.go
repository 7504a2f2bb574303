//go:build e2e

package e2e

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const basedManifest = `schema: 1
registry: registry.invalid
sources:
  programs:
    kind: gobuild
    toolchain: %s
    flags: [-trimpath, -buildvcs=false, "-ldflags=-s -w -buildid="]
    packages: {sleep: ./images/sleep}
flavors:
  based:
    repository: based
    tag: "{version}"
    versions: ">= 1.35.0"
    architectures: [amd64, arm64]
    base:
      - {versions: "< 1.36.0", image: scratch}
      - {versions: ">= 1.36.0", image: "registry.example/team/base@%s"}
    files:
      - {path: /sleep, source: programs/sleep}
    entrypoint: [/sleep]
    env: {PATH: /opt}
    labels: {org.a: "{version}"}
releases: [v1.35.0, v1.36.0]
`

// Images on a base image from a registry mirror must be the same by Go and by
// Bazel.
func TestBase(t *testing.T) {
	r := startRegistry(t)
	index := pushBase(t, r.addr+"/mirror/team/base")
	repo := copyRepo(t, index)
	env := []string{"HYPERKUBE_REGISTRY_MIRROR=" + r.addr + "/mirror"}
	in := func(env []string, command string, args ...string) result {
		t.Helper()
		return runIn(t, repo, env, command, args...)
	}
	// A base image that is not pinned, or unavailable, must be an error.
	unpinned := "base image registry.example/team/base@" + index.String() + " for linux/amd64 is not pinned in versions/lock.json"
	if got := in(env, "go", "run", "./tools/gen"); got.code == 0 || !strings.Contains(got.stderr, unpinned) {
		t.Errorf("without a pin: exit code %d", got.code)
	}
	if got := in(env, "go", "run", "./tools/hk", "pin"); got.code != 0 {
		t.Fatal("not pinned")
	}
	if got := in(env, "go", "run", "./tools/gen"); got.code != 0 {
		t.Fatal("not generated")
	}
	off := []string{"HYPERKUBE_UPSTREAM=off", "HYPERKUBE_STORE=" + filepath.Join(t.TempDir(), "store")}
	missing := "fetching base image registry.example/team/base@" + index.String() + " for linux/amd64: manifest sha256 "
	if got := in(off, "go", "run", "./tools/hk", "build", version, "-o", filepath.Join(t.TempDir(), "none")); got.code == 0 || !strings.Contains(got.stderr, missing) {
		t.Errorf("without a registry: exit code %d", got.code)
	}

	byGo := filepath.Join(t.TempDir(), "layout")
	if got := in(env, "go", "run", "./tools/hk", "build", version, "--record", "-o", byGo); got.code != 0 {
		t.Fatal("not built")
	}
	checkBased(t, byGo)

	t.Run("Bazel", func(t *testing.T) {
		defer in(nil, "./bazelw", "clean", "--expunge")
		for _, args := range [][]string{
			{"build", "//images:v1_36_0"},
			{"test", "//images:test_v1_36_0"},
			{"run", "//images:push_v1_36_0", "--", "--repository", r.addr + "/based"},
		} {
			if got := in(env, "./bazelw", args...); got.code != 0 {
				t.Fatalf("bazelw %q: exit code %d", args, got.code)
			}
		}
		files := in(env, "./bazelw", "cquery", "--output=files", "//images:v1_36_0")
		compareTrees(t, filepath.Join(repo, strings.TrimSpace(files.stdout)), byGo)
		ref := r.addr + "/based:" + version
		must(t, craneCommand(t), "validate", "--remote", ref)
		for _, platform := range platforms {
			got := export(t, ref, platform)
			if sleep := pin(t, "programs/"+platform+"/sleep"); got["/sleep"].sha256 != sleep.SHA256.String() || !got["/etc/a"].regular {
				t.Errorf("%s: files %v", platform, got)
			}
		}
	})
}

// pushBase pushes an index of two images, one with the media types of Docker, one
// with those of OCI.
func pushBase(t *testing.T, repository string) v1.Hash {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for _, arch := range []string{"amd64", "arm64"} {
		top, err := layout.ImageIndexFromPath(filepath.Join(root(t), "tools/conformance/testdata/base", arch))
		if err != nil {
			t.Fatal(err)
		}
		list, err := top.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		img, err := top.Image(list.Manifests[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
			MediaType: list.Manifests[0].MediaType, Platform: &v1.Platform{OS: "linux", Architecture: arch},
		}})
	}
	repo, err1 := name.NewRepository(repository)
	digest, err2 := index.Digest()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(repo.Tag("v1"), index); err != nil {
		t.Fatal(err)
	}
	return digest
}

// checkBased checks that each image has the layers of its base and one more.
func checkBased(t *testing.T, dir string) {
	t.Helper()
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	index, err := top.ImageIndex(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for arch, want := range map[string]int{"amd64": 3, "arm64": 2} {
		for _, m := range manifests.Manifests {
			if m.Platform.Architecture != arch {
				continue
			}
			img, err := index.Image(m.Digest)
			if err != nil {
				t.Fatal(err)
			}
			layers, err1 := img.Layers()
			config, err2 := img.ConfigFile()
			if err := errors.Join(err1, err2); err != nil || len(layers) != want || config.Config.Labels["org.a"] != version {
				t.Errorf("%s: %d layers, want %d; labels %v, %v", arch, len(layers), want, config.Config.Labels, err)
			}
		}
	}
}
