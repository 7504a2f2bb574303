//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Bazel and the Go builder must make the same layout.
func TestTwoBuilders(t *testing.T) {
	for _, image := range images {
		byBazel := bazelOutput(t, image.target)
		byGo := filepath.Join(t.TempDir(), "layout")
		must(t, "go", "run", "./tools/hk", "build", image.flavor+":"+version, "-o", byGo)
		compareTrees(t, byBazel, byGo)
	}
}

func compareTrees(t *testing.T, a, b string) {
	t.Helper()
	left, right := tree(t, a), tree(t, b)
	if len(left) == 0 || len(left) != len(right) {
		t.Errorf("%d and %d files", len(left), len(right))
	}
	for name, raw := range left {
		if !bytes.Equal(raw, right[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	err = filepath.Walk(dir, func(file string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		files[name], err = os.ReadFile(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A wrong file in the store must be an error, and leave no image.
func TestBrokenStore(t *testing.T) {
	const key = "kubernetes/" + version + "/linux/amd64/kubectl"
	good, arm64 := stored(t, key), stored(t, "kubernetes/"+version+"/linux/arm64/kubectl")
	for name, c := range map[string]struct {
		bytes []byte
		want  string
	}{
		"flipped byte":         {flip(bytes.Clone(good)), "want sha256"},
		"truncated":            {good[:4096], "it is truncated"},
		"another architecture": {arm64, "it is kubernetes/" + version + "/linux/arm64/kubectl (another platform)"},
	} {
		t.Run(name, func(t *testing.T) {
			env, path := brokenStore(t, key, c.bytes)
			out := filepath.Join(t.TempDir(), "layout")
			r := run(t, env, "go", "run", "./tools/hk", "build", "kubectl:"+version, "--platform", "linux/amd64", "-o", out)
			wantRefused(t, r, key, path, c.want)
			if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) != 0 {
				t.Errorf("remaining files: %v, %v", left, err)
			}
		})
	}
}

// The same under Bazel. The version must be one that no other test builds: Bazel
// verifies a file once, when it fetches it.
func TestBrokenStoreUnderBazel(t *testing.T) {
	const key = "kubernetes/v1.19.3/linux/amd64/kubectl"
	env, path := brokenStore(t, key, stored(t, "kubernetes/"+version+"/linux/arm64/kubectl"))
	r := run(t, env, "./bazelw", "build", "//images:kubectl_v1_19_3_amd64")
	wantRefused(t, r, key, path, "it is kubernetes/"+version+"/linux/arm64/kubectl (another version, another platform)")
}

// Bazel's downloader fetches a pinned file that is not in the store, and keeps it
// in the repository cache. Where it fails, hk tries again and explains.
func TestBazelDownloads(t *testing.T) {
	const key = "kubernetes/" + version + "/linux/amd64/kubectl"
	content := stored(t, key)
	var requested []string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requested = append(requested, r.URL.Path)
		w.WriteHeader(status)
		if status == http.StatusOK {
			w.Write(content)
		}
	}))
	defer server.Close()
	config := filepath.Join(t.TempDir(), "downloader.cfg")
	if err := os.WriteFile(config, []byte("block go.dev\nrewrite dl.k8s.io/(.*) "+server.URL+"/$1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	fetch := func(cache string) result {
		t.Helper()
		requested = nil
		// In the airgap profile, HYPERKUBE_REBUILD disables downloads.
		return run(t, nil, "./bazelw", "fetch", "--force", "--repo_env=HYPERKUBE_REBUILD=0", "--repo_env=HYPERKUBE_UPSTREAM=",
			"--repo_env=HYPERKUBE_STORE="+t.TempDir(), "--repository_cache="+cache, "--experimental_downloader_config="+config,
			"@upstream//kubernetes/v1_36_0:kubectl_linux_amd64")
	}
	cache := t.TempDir()
	if r := fetch(cache); r.code != 0 || !slices.Equal(requested, []string{"/release/" + version + "/bin/linux/amd64/kubectl"}) {
		t.Errorf("first fetch: exit code %d, requested %q", r.code, requested)
	}
	if r := fetch(cache); r.code != 0 || len(requested) > 0 {
		t.Errorf("fetch with a repository cache: exit code %d, requested %q", r.code, requested)
	}
	status = http.StatusNotFound
	t.Setenv("HTTPS_PROXY", server.URL) // for hk
	if r := fetch(t.TempDir()); r.code == 0 || !strings.Contains(r.stderr, "hk: fetching "+key) || !strings.Contains(r.stderr, "hk failed") {
		t.Errorf("fetch of a missing file: exit code %d, want an error of hk", r.code)
	}
}

// stored returns the content of a pinned file.
func stored(t *testing.T, key string) []byte {
	t.Helper()
	path := must(t, "go", "run", "./tools/hk", "fetch", key)
	raw, err := os.ReadFile(strings.TrimSpace(path))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// brokenStore makes a store with a wrong file. It returns the environment variable
// for the store, and the path of the file.
func brokenStore(t *testing.T, key string, content []byte) (env []string, path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "sha256", pin(t, key).SHA256.String())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"HYPERKUBE_STORE=" + dir}, path
}

// wantRefused checks that a command failed, with an error that explains the wrong
// file.
func wantRefused(t *testing.T, r result, key, path, why string) {
	t.Helper()
	if r.code == 0 {
		t.Error("an image was built")
	}
	for _, want := range []string{key, path, pin(t, key).SHA256.String(), why, "Fix: delete that file"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("missing in the error: %q", want)
		}
	}
}

func flip(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}
