package identify

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

const source = `package main

import "fmt"

var gitVersion, buildDate = "unknown", "unknown"

func main() { fmt.Println(gitVersion, buildDate) }
`

var (
	built  = map[string][]byte{}
	builds sync.Mutex
)

// build builds a stripped program with version and date set by the linker, as
// upstream does. A program of Kubernetes has the module path of its main package.
func build(t testing.TB, module, arch, version string) []byte {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	key := module + arch + version
	if b, ok := built[key]; ok {
		return b
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command to build test binaries")
	}
	dir := t.TempDir()
	for file, text := range map[string]string{"main.go": source, "go.mod": "module " + module + "\n\ngo 1.21\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -X main.gitVersion="+version+" -X main.buildDate=2026-04-22T13:54:03Z", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	built[key] = b
	return b
}

const manifest = `schema: 1
registry: registry.example
sources:
  kubernetes:
    kind: release
    url: https://dl.k8s.io/{version}/{os}/{arch}/{file}
    files: {kubelet: ">= 1.19.0"}
  rancher:
    kind: archive
    url: https://rancher.example/{version}-{arch}.tar.gz
    versions: ">= 1.24.0"
    members: {kubelet: kubelet}
flavors:
  hyperkube:
    repository: project/hyperkube
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [amd64, arm64]
    files:
      - {path: /kubelet, source: kubernetes/kubelet}
    entrypoint: [/kubelet]
releases: [v1.36.0, v1.36.1]
`

const digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func parse[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newIndex returns an index with a lock that has the given files by key. All other
// files of the manifest have sha256 sums of nothing in particular.
func newIndex(t testing.TB, files map[string][]byte) *Index {
	t.Helper()
	m := parse[*versions.Manifest](t)(versions.ParseManifest("m.yaml", []byte(manifest)))
	lock := versions.NewLock()
	set := func(key versions.FileKey, content []byte, size int64) {
		lock.Set(versions.Pin{FileKey: key, SHA256: versions.NewDigest(sha256.Sum256(content)), Size: size, URL: "https://dl.k8s.io/" + key.String()})
	}
	for _, key := range m.RequiredFiles(lock) {
		set(key, []byte(key.String()), 0)
	}
	for name, content := range files {
		set(parse[versions.FileKey](t)(versions.ParseFileKey(name)), content, int64(len(content)))
	}
	lock.Set(versions.Pin{
		FileKey: parse[versions.FileKey](t)(versions.ParseFileKey("rancher/v1.36.0/linux/arm64/kubelet")), URL: "https://rancher.example/v1.36.0-arm64.tar.gz",
		SHA256: versions.NewDigest(sha256.Sum256([]byte("member"))), Archive: versions.NewDigest(sha256.Sum256([]byte("archive"))), Member: "kubelet",
	})
	amd64 := parse[versions.Platform](t)(versions.ParsePlatform("linux/amd64"))
	lock.SetPackages([]versions.PackagePin{{Set: "proxy", Platform: amd64, Name: "base-files", Version: "13.8", SHA256: versions.NewDigest(sha256.Sum256([]byte("package")))}}, nil)
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "versions"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"builddates.json": `{"schema":1,"releases":[{"version":"v1.36.0","commit":{"hash":"ecf6decece6a6de25a57aad9ba90b6ce580f6f78","source":"reports"},"phases":{"node":{"date":"2026-04-22T13:54:03Z","source":"search"}}}]}`,
		"rebuilt.json":    fmt.Sprintf(`{"schema":1,"results":[{"version":"v1.36.0","platform":"linux/amd64","binary":"kubelet","outcome":"matched","sha256":"%x","toolchain":"go1.26.2","system":"host"}]}`, sha256.Sum256(nil)),
		"endoflife.json":  `{"schema":1,"minors":[{"minor":"v1.36","date":"2027-06-28"}]}`,
	} {
		if err := os.WriteFile(filepath.Join(root, "versions", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := record.New("")
	r.Index = digest
	r.Manifests["linux/amd64"] = "sha256:" + versions.NewDigest(sha256.Sum256([]byte("manifest"))).String()
	r.DiffIDs["linux/amd64"] = []string{"sha256:" + versions.NewDigest(sha256.Sum256([]byte("layer"))).String()}
	d := checkout.Data{
		Root: root, Catalog: parse[*versions.Catalog](t)(versions.Resolve(m, lock)),
		Records: record.Records{"hyperkube:v1.36.0": r},
	}
	return parse[*Index](t)(New(d, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)))
}
