//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Bazel and the builder without it make the same layout, file for file.
func TestTwoBuilders(t *testing.T) {
	for _, image := range images {
		must(t, "./bazelw", "build", image.target)
		byBazel := strings.TrimSpace(must(t, "./bazelw", "cquery", "--output=files", image.target))
		byGo := filepath.Join(t.TempDir(), "layout")
		must(t, "go", "run", "./tools/build", "-version", version, "-flavor", image.flavor, "-o", byGo)
		compareTrees(t, filepath.Join(root(t), byBazel), byGo)
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

// A store whose file is not what its name says gives a clear error, from both
// builders, and no image. The version is one that no other test builds, so
// that nothing of it is cached.
func TestBrokenStore(t *testing.T) {
	const broken = "kubernetes/v1.30.0/linux/amd64/kubectl"
	// bytesOf is a file of the version that has been had.
	bytesOf := func(platform string) []byte {
		path := must(t, "go", "run", "./tools/fetch", "-file", "kubernetes/"+version+"/"+platform+"/kubectl")
		raw, err := os.ReadFile(strings.TrimSpace(path))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	good, swapped := bytesOf("linux/amd64"), bytesOf("linux/arm64")
	for name, test := range map[string]struct {
		bytes []byte
		want  string
	}{
		"flipped byte":         {flip(bytes.Clone(good)), "want sha256"},
		"truncated":            {good[:4096], "want sha256"},
		"another version":      {good, "it is kubernetes/" + version + "/linux/amd64/kubectl (another version)"},
		"another architecture": {swapped, "it is kubernetes/" + version + "/linux/arm64/kubectl (another version, another platform)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "sha256", pin(t, broken).SHA256.String())
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, test.bytes, 0o644); err != nil {
				t.Fatal(err)
			}
			env := []string{"HYPERKUBE_STORE=" + dir}
			out := filepath.Join(t.TempDir(), "layout")
			for _, r := range []result{
				run(t, env, "./bazelw", "build", "//images:kubectl_v1_30_0_amd64"),
				run(t, env, "go", "run", "./tools/build", "-version", "v1.30.0", "-flavor", "kubectl", "-platform", "linux/amd64", "-o", out),
			} {
				if r.code == 0 {
					t.Error("an image was built")
				}
				for _, want := range []string{broken, path, pin(t, broken).SHA256.String(), test.want, "To mend: delete that file"} {
					if !strings.Contains(r.stderr, want) {
						t.Errorf("not said: %q", want)
					}
				}
			}
			if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func flip(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}
