package provenance

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/golden"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/slsa"
	"github.com/hyperkube/hyperkube/versions"
)

const manifest = `schema: 1
registry: registry.invalid
sources:
  kubernetes: {kind: release, url: "https://dl.example/{version}/{arch}/{file}", files: {kubectl: "*", kube-proxy: "*", kubeadm: "*"}}
  programs: {kind: gobuild, toolchain: go1.26.8, packages: {sleep: ./images/sleep}}
  fork: {kind: archive, url: "https://fork.example/{version}-{arch}.tar.gz", versions: "*", members: {kubelet: kubelet}}
debian: {suite: trixie, sets: {low: {packages: [libc6]}}}
flavors:
  all:
    repository: all
    tag: "{version}"
    versions: "*"
    architectures: [amd64, arm64]
    packages: low
    entrypoint: [/kubectl]
    files:
      - {path: /kubectl, source: kubernetes/kubectl}
      - {path: /kube-proxy, source: kubernetes/kube-proxy}
      - {path: /kubeadm, source: kubernetes/kubeadm}
      - {path: /kubelet, source: fork/kubelet}
      - {path: /sleep, source: programs/sleep}
releases: [v1.36.0]
`

func sum(s string) versions.Digest { return versions.NewDigest(sha256.Sum256([]byte(s))) }

func fixture(t *testing.T) (*versions.Catalog, results.Results) {
	t.Helper()
	m, err := versions.ParseManifest("m.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	lock, rebuilt := versions.NewLock(), results.Results{}
	var packages []versions.PackagePin
	for _, platform := range m.Flavors[0].Platforms {
		for _, f := range m.Flavors[0].Files {
			source, _ := m.Source(f.Sources[0].Source)
			key := versions.FileKey{Source: source.Name, Platform: platform, File: f.Sources[0].File}
			if source.Kind != versions.KindGoBuild {
				key.Version = m.Releases[0].Version
			}
			pin := versions.Pin{FileKey: key, SHA256: sum(key.String())}
			if source.Kind != versions.KindGoBuild {
				pin.URL = source.FileURL(key)
			}
			if source.Kind == versions.KindArchive {
				pin.Archive, pin.Member = sum("archive"+platform.String()), "kubelet"
			}
			lock.Set(pin)
		}
		add := func(binary, outcome string, result results.Result) {
			result.Key = results.Key{Version: m.Releases[0].Version, Platform: platform, Binary: binary}
			result.Outcome = outcome
			rebuilt[result.Key] = result
		}
		build := results.Build{Toolchain: "go1.26.2", System: "host", Commit: strings.Repeat("0b", 20), Seconds: 7}
		add("kubectl", results.Matched, results.Result{SHA256: sum("kubernetes/v1.36.0/" + platform.String() + "/kubectl"), Build: build})
		add("kube-proxy", results.Unbuildable, results.Result{Reason: "no toolchain"})
		// Results of files that have other bytes are none of the image.
		add("kubeadm", results.Matched, results.Result{SHA256: sum("other"), Build: build})
		add("kubelet", results.Matched, results.Result{SHA256: sum("upstream's"), Build: build})
		packages = append(packages, versions.PackagePin{
			Set: "low", Platform: platform, Name: "libc6", Version: "2.41-12", Architecture: platform.Arch(), Archive: "debian",
			Path: "pool/main/g/glibc/libc6_2.41-12_" + platform.Arch() + ".deb", Size: 7, SHA256: sum("libc6" + platform.String()),
		})
	}
	lock.SetPackages(packages, []versions.Snapshot{{Suite: "trixie", Archive: "debian", Time: "20261128T000000Z"}})
	c, err := versions.Resolve(m, lock)
	if err != nil {
		t.Fatal(err)
	}
	return c, rebuilt
}

func statement(t *testing.T, platform versions.Platform) []byte {
	t.Helper()
	c, rebuilt := fixture(t)
	raw, err := Statement(c, rebuilt, c.Images[0], platform, "sha256:"+strings.Repeat("aa", 32))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The tests of tools/proofs validate the golden files.
func TestGolden(t *testing.T) {
	platform, err := versions.ParsePlatform("linux/arm64")
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, filepath.Join("testdata", "arm64.intoto.jsonl"), statement(t, platform))
	golden.File(t, filepath.Join("testdata", "index.intoto.jsonl"), statement(t, versions.Platform{}))
}

func TestByproducts(t *testing.T) {
	var s struct {
		Predicate struct {
			BuildDefinition slsa.BuildDefinition
			RunDetails      struct{ Byproducts []slsa.Resource }
		}
	}
	if err := json.Unmarshal(statement(t, versions.Platform{}), &s); err != nil {
		t.Fatal(err)
	}
	// Six files, the archive among them twice, for two platforms.
	if got := len(s.Predicate.BuildDefinition.ResolvedDependencies); got != 14 {
		t.Errorf("%d dependencies", got)
	}
	var outcomes []string
	for _, b := range s.Predicate.RunDetails.Byproducts {
		outcomes = append(outcomes, fmt.Sprint(strings.TrimPrefix(b.Name, "rebuild of kubernetes/v1.36.0/linux/"), " ", b.Annotations["outcome"]))
	}
	want := []string{
		"amd64/kube-proxy unbuildable", "amd64/kubectl matched by an independent rebuild",
		"arm64/kube-proxy unbuildable", "arm64/kubectl matched by an independent rebuild",
	}
	if !slices.Equal(outcomes, want) {
		t.Errorf("byproducts %q, want %q", outcomes, want)
	}
}

func TestRepeatable(t *testing.T) {
	want := statement(t, versions.Platform{})
	for range 10 {
		if got := statement(t, versions.Platform{}); string(got) != string(want) {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}
