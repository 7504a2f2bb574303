package main

import (
	"bytes"
	"crypto/sha256"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/script"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hk": main})
}

// manifest has two flavors of text files, and one of a program that verify can
// inspect.
const manifest = `schema: 1
registry: registry.example
sources:
  kubernetes:
    kind: release
    url: https://dl.k8s.io/{file}
    files: {kubelet: ">= 1.19.0", kubectl: ">= 1.19.0"}
  programs:
    kind: gobuild
    toolchain: go1.26.8
    packages: {sleep: ./images/sleep}
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
  sleep:
    repository: sleep
    tag: "{version}"
    versions: "1.36.0"
    architectures: [ARCH]
    files:
      - {path: /sleep, source: programs/sleep}
    entrypoint: [/sleep]
releases:
  - v1.36.0
  - v1.36.1
  - v1.36.2
  - v1.36.3
  - v1.36.4
`

// writeCheckout writes the manifest and its lock to a directory, and the pinned
// files to a store.
func writeCheckout(t *testing.T, dir string, files store.Store) {
	t.Helper()
	text := []byte(strings.Replace(manifest, "ARCH", runtime.GOARCH, 1))
	m, err := versions.ParseManifest("m.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	lock := versions.NewLock()
	for _, key := range m.RequiredFiles(lock) {
		data := bytes.Repeat([]byte(key.String()), 20_000)
		if key.File == "sleep" {
			data = program
		}
		digest := versions.NewDigest(sha256.Sum256(data))
		if err := files.Put(t.Context(), digest, 0, key.String(), bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		source, _ := m.Source(key.Source)
		lock.Set(versions.Pin{SHA256: digest, Size: int64(len(data)), FileKey: key, URL: source.FileURL(key)})
	}
	for name, content := range map[string][]byte{
		versions.ManifestFile: text, versions.LockFile: lock.Format(), record.File: []byte("{}\n"),
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tagged checks the digest of a tag in a registry. With !, there must be no tag.
func tagged(ts *testscript.TestScript, neg bool, args []string) {
	ref, err := name.ParseReference(args[0])
	ts.Check(err)
	got, err := remote.Head(ref)
	switch {
	case neg && err == nil:
		ts.Fatalf("%s exists", ref)
	case !neg && err != nil:
		ts.Fatalf("%v", err)
	case !neg && got.Digest.String() != args[1]:
		ts.Fatalf("%s: digest %s, want %s", ref, got.Digest, args[1])
	}
}

// The scripts run in an empty directory next to a checkout.
func TestImages(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	checkout, files := t.TempDir(), t.TempDir()
	writeCheckout(t, checkout, store.New(files))
	script.Run(t, testscript.Params{
		Dir:  "testdata/images",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"tagged": tagged},
		Setup: func(env *testscript.Env) error {
			env.Setenv("HYPERKUBE_UPSTREAM", "off")
			env.Setenv("HYPERKUBE_STORE", files)
			env.Setenv("REGISTRY", strings.TrimPrefix(server.URL, "http://"))
			env.Setenv("PLATFORM", "linux/"+runtime.GOARCH)
			env.Setenv("OTHER", map[string]string{"amd64": "linux/arm64", "arm64": "linux/amd64"}[runtime.GOARCH])
			return os.CopyFS(filepath.Join(env.WorkDir, "checkout"), os.DirFS(checkout))
		},
	})
}
