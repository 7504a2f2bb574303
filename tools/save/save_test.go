package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"save": main})
}

const manifest = `schema: 1
registry: registry.example
sources:
  kubernetes:
    kind: release
    url: https://dl.k8s.io/{file}
    files: {kubelet: ">= 1.19.0", kubectl: ">= 1.19.0"}
flavors:
  hyperkube:
    repository: hyperkube
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [amd64, arm64]
    files:
      - {path: /kubelet, source: kubernetes/kubelet}
      - {path: /kubectl, source: kubernetes/kubectl}
    entrypoint: [/kubelet]
  kubectl:
    repository: tools/kubectl
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [amd64, arm64]
    files:
      - {path: /kubectl, source: kubernetes/kubectl}
    entrypoint: [/kubectl]
releases:
%s`

// supplier has a catalog of two flavors of that many versions, and its files in
// a store.
func supplier(t testing.TB, releases int) *fetch.Fetcher {
	t.Helper()
	var list strings.Builder
	for i := range releases {
		fmt.Fprintf(&list, "  - v1.36.%d\n", i)
	}
	m, err := versions.ParseManifest("m.yaml", fmt.Appendf(nil, manifest, list.String()))
	if err != nil {
		t.Fatal(err)
	}
	files, lock := store.New(t.TempDir()), versions.NewLock()
	for _, key := range m.RequiredFiles() {
		data := bytes.Repeat([]byte(key.String()), 20_000)
		digest, err := versions.ParseDigest(fmt.Sprintf("%x", sha256.Sum256(data)))
		if err != nil {
			t.Fatal(err)
		}
		if err := files.Put(t.Context(), digest, 0, key.String(), bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		lock.Set(versions.Pin{SHA256: digest, Size: int64(len(data)), FileKey: key})
	}
	catalog, err := versions.Resolve(m, lock)
	if err != nil {
		t.Fatal(err)
	}
	return &fetch.Fetcher{Catalog: catalog, Store: files, Upstream: fetch.Off, Progress: progress.New(io.Discard)}
}

func saveWith(t *testing.T, s *fetch.Fetcher, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	env := cli.Env{Args: args, Dir: t.TempDir(), Out: &out, Err: io.Discard}
	c, err := parse(env)
	if err != nil {
		t.Fatal(err)
	}
	err = save(t.Context(), env, s, c)
	return out.String(), err
}

func contents(t *testing.T, file string) archive.Contents {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := archive.ReadContents(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Ten images in one go: their layers are there once each, whoever shares them.
func TestSaveCatalog(t *testing.T) {
	s := supplier(t, 5)
	dir := t.TempDir()
	file := filepath.Join(dir, "images.tar")
	var images []string
	for i := range 5 {
		images = append(images, fmt.Sprintf("kubectl:v1.36.%d", i), fmt.Sprintf("hyperkube:v1.36.%d", i))
	}
	said, err := saveWith(t, s, append([]string{"-o", file}, images...)...)
	if err != nil {
		t.Fatal(err)
	}
	c := contents(t, file)
	// Ten indexes, twenty manifests and configs, and of each version two
	// layers for two platforms.
	if len(c.Images) != 10 || len(c.Blobs) != 10+20+20+5*4 {
		t.Errorf("%d images, %d blobs; want 10 and 70", len(c.Images), len(c.Blobs))
	}
	if want := "registry.example/hyperkube:v1.36.0 "; !strings.HasPrefix(said, want) {
		t.Errorf("said %q, want %q…", said, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	// A layout of the same image makes the same archive.
	layout := filepath.Join(t.TempDir(), "layout")
	if _, err := assemble.Index(t.Context(), s, s.Catalog.Images[0], layout); err != nil {
		t.Fatal(err)
	}
	one, other := filepath.Join(dir, "one.tar"), filepath.Join(dir, "other.tar")
	_, err1 := saveWith(t, s, "-o", one, "-repository", "mirror.example/k8s", "hyperkube:v1.36.0")
	_, err2 := saveWith(t, nil, "-o", other, "mirror.example/k8s/hyperkube:v1.36.0="+layout)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	a, err1 := os.ReadFile(one)
	b, err2 := os.ReadFile(other)
	if errors.Join(err1, err2) != nil || !bytes.Equal(a, b) {
		t.Errorf("the archive of a layout is another one: %v, %v", err1, err2)
	}
}

func TestSaveRefuses(t *testing.T) {
	s := supplier(t, 1)
	tests := map[string]struct {
		args []string
		want string
	}{
		"no such image":    {[]string{"hyperkube:v1.37.0"}, `unknown image "hyperkube:v1.37.0"`},
		"no such flavor":   {[]string{"hypercube:v1.36.0"}, `unknown image "hypercube:v1.36.0"`},
		"no such platform": {[]string{"-platform", "linux/s390x", "kubectl:v1.36.0"}, `kubectl:v1.36.0 is made for ["linux/amd64" "linux/arm64"], and not for "linux/s390x"`},
		"twice":            {[]string{"kubectl:v1.36.0", "kubectl:v1.36.0"}, "duplicate image"},
		"twice by name":    {[]string{"kubectl:v1.36.0", "registry.example/tools/kubectl:v1.36.0=dir"}, "duplicate image"},
		"bad repository":   {[]string{"-repository", "Mirror", "kubectl:v1.36.0"}, "want a name like"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := saveWith(t, s, append([]string{"-o", filepath.Join(dir, "images.tar")}, test.args...)...)
			if err == nil || !strings.Contains(err.Error(), test.want) || cli.Code("save", io.Discard, err) != cli.ExitUsage {
				t.Errorf("got %v, want %q and exit code 2", err, test.want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// An image that is not the one on record is not saved.
func TestSaveDrift(t *testing.T) {
	s := supplier(t, 1)
	root, dir := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	record := `{"kubectl:v1.36.0": {"index": "sha256:other", "manifests": {}, "diffIDs": {}}}`
	if err := os.WriteFile(filepath.Join(root, "images", "digests.json"), []byte(record), 0o644); err != nil {
		t.Fatal(err)
	}
	env := cli.Env{Args: []string{"-o", filepath.Join(dir, "images.tar"), "kubectl:v1.36.0"}, Dir: root, Out: io.Discard, Err: io.Discard}
	c, err := parse(env)
	if err != nil {
		t.Fatal(err)
	}
	err = save(t.Context(), env, s, c)
	if err == nil || !strings.Contains(err.Error(), "want index sha256:other") || cli.Code("save", io.Discard, err) != cli.ExitDrift {
		t.Errorf("got %v, want exit code 3", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestScripts(t *testing.T) {
	s := supplier(t, 1)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			var errs []error
			for i, name := range []string{"hyperkube", "kubectl"} {
				_, err := assemble.Index(t.Context(), s, s.Catalog.Images[i], filepath.Join(env.WorkDir, name))
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// exits CODE COMMAND… wants that very exit code.
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				got := 0
				var exit *exec.ExitError
				if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
					got = exit.ExitCode()
				}
				if got != want {
					ts.Fatalf("exit code %d, want %d", got, want)
				}
			},
			// cut FILE N leaves the first N bytes.
			"cut": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.ParseInt(args[1], 10, 64)
				ts.Check(err)
				ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
			},
		},
	})
}
