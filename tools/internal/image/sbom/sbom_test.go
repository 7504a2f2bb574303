package sbom

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/debian/debtest"
	"github.com/hyperkube/hyperkube/tools/internal/golden"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

func must[T any](t *testing.T, parse func(string) (T, error), s string) T {
	t.Helper()
	v, err := parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func digest(t *testing.T, s string) versions.Digest {
	return must(t, versions.ParseDigest, strings.Repeat(s, 32))
}

// example is an image with all kinds of contents.
func example(t *testing.T) (versions.Image, Platform) {
	amd64 := must(t, versions.ParsePlatform, "linux/amd64")
	pin := func(source, version, file, url, sum string) versions.Pin {
		p := versions.Pin{FileKey: versions.FileKey{Source: source, Platform: amd64, File: file}, URL: url, SHA256: digest(t, sum)}
		if version != "" {
			p.Version = must(t, versions.ParseVersion, version)
		}
		return p
	}
	archive := pin("rancher", "v1.36.1", "kubelet", "https://example.org/kubelet.tar.gz", "01")
	archive.Archive, archive.Member = digest(t, "02"), "bin/kubelet"
	image := versions.Image{Flavor: &versions.Flavor{Name: "rke", Repository: "k8s/rke"}, Tag: "v1.36.1-rancher1"}
	return image, Platform{"sha256:" + digest(t, "aa").String(), Contents{
		Platform: amd64,
		Base: versions.BasePin{SHA256: digest(t, "bb"), BaseKey: versions.BaseKey{
			Platform: amd64, Image: must(t, versions.ParseImageRef, "registry.example/base@sha256:"+digest(t, "cc").String()),
		}},
		Programs: []Program{
			{Pin: pin("kubernetes", "v1.36.1", "kube-proxy", "https://dl.example/kube-proxy", "03"), Path: "/usr/local/bin/kube-proxy", Source: versions.KindRelease, Info: &buildinfo.BuildInfo{
				GoVersion: "go1.26.2 X:boringcrypto", Path: kubernetes + "/cmd/kube-proxy", Main: debug.Module{Path: kubernetes, Version: "(devel)"},
				Deps: []*debug.Module{
					{Path: "github.com/Azure/go-ansiterm", Version: "v0.0.0-2023"},
					{Path: "k8s.io/api", Version: "(devel)"},
					{Path: "k8s.io/client-go", Version: "v0.0.0", Replace: &debug.Module{Path: "./staging/src/k8s.io/client-go", Version: "(devel)"}},
					{Path: "example.org/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork/v2", Version: "v2.0.1"}},
				},
				Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: strings.Repeat("0d", 20)}, {Key: "vcs.time", Value: "2026-05-12T10:11:12Z"}},
			}},
			{Pin: archive, Path: "/kubelet", Source: versions.KindArchive},
			{Pin: pin("programs", "", "sleep", "", "04"), Path: "/sleep", Source: versions.KindGoBuild, Info: &buildinfo.BuildInfo{
				GoVersion: "go1.26.8", Path: "github.com/hyperkube/hyperkube/images/sleep", Main: debug.Module{Path: "github.com/hyperkube/hyperkube", Version: "(devel)"},
			}},
		},
		Files: []File{{"/usr/share/hyperkube/lock.json", digest(t, "07")}},
		Packages: []Package{
			{
				PackagePin: versions.PackagePin{Platform: amd64, Name: "libc6", Version: "2.41-12+deb13u1", Architecture: "amd64", SHA256: digest(t, "05")},
				URL:        "https://snapshot.example/libc6.deb", Suite: "trixie", SourceName: "glibc", SourceVersion: "2.41-12+deb13u1", Homepage: "https://www.gnu.org/software/libc/libc.html",
			},
			{
				PackagePin: versions.PackagePin{Platform: amd64, Name: "mount", Version: "1:2.41-5", Architecture: "amd64", SHA256: digest(t, "06")},
				Suite:      "trixie", SourceName: "util-linux", SourceVersion: "2.41-5",
			},
		},
	}}
}

func TestGolden(t *testing.T) {
	image, platform := example(t)
	got, err := Document(SPDX, image, "", []Platform{platform})
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, filepath.Join("testdata", "rke.spdx.json"), got)
}

func TestGoldenCycloneDX(t *testing.T) {
	image, platform := example(t)
	platform.Programs = platform.Programs[:1]
	platform.Programs[0].Info.Deps = platform.Programs[0].Info.Deps[:1]
	got, err := Document(CycloneDX, image, "sha256:"+digest(t, "ee").String(), []Platform{platform})
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, filepath.Join("testdata", "rke.cdx.json"), got)
}

// Binaries that were not built in module mode have the module of their package.
func TestGOPATH(t *testing.T) {
	_, example := example(t)
	p := example.Programs[0]
	p.Info = &buildinfo.BuildInfo{GoVersion: "go1.13.6", Path: kubernetes + "/cmd/kube-proxy"}
	if got := p.purl(); got != "pkg:golang/k8s.io/kubernetes@v1.36.1#cmd/kube-proxy" {
		t.Errorf("package URL %s", got)
	}
	if got := p.modules(); !slices.Equal(got, []module{{kubernetes, "v1.36.1", true}}) {
		t.Errorf("modules %+v", got)
	}
}

// The order of the contents does not matter, and neither that of platforms in an index.
func TestOrder(t *testing.T) {
	image, one := example(t)
	_, other := example(t)
	other.Digest = "sha256:" + digest(t, "dd").String()
	other.Platform = must(t, versions.ParsePlatform, "linux/arm64")
	other.Programs = other.Programs[:2]
	index := "sha256:" + digest(t, "ee").String()
	want, err := Document(SPDX, image, index, []Platform{one, other})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(one.Programs)
	slices.Reverse(one.Packages)
	slices.Reverse(one.Programs[2].Info.Deps)
	got, err := Document(SPDX, image, index, []Platform{other, one})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("another order gives (error %v)\n%s\nwant\n%s", err, got, want)
	}
	var doc v2_3.Document
	if err := json.Unmarshal(got, &doc); err != nil {
		t.Fatal(err)
	}
	relations := map[string]int{}
	ids := map[string]bool{}
	for _, p := range doc.Packages {
		ids[string(p.PackageSPDXIdentifier)] = true
	}
	for _, r := range doc.Relationships {
		relations[r.Relationship]++
		if from := string(r.RefA.ElementRefID); from != "DOCUMENT" && !ids[from] || !ids[string(r.RefB.ElementRefID)] {
			t.Errorf("relationship of an unknown element: %+v", r)
		}
	}
	// The files of both platforms have the same digests here.
	if relations["DESCRIBES"] != 1 || relations["VARIANT_OF"] != 2 || relations["CONTAINS"] != 13 || len(ids) != len(doc.Packages) {
		t.Errorf("relationships %v, %d IDs of %d packages", relations, len(ids), len(doc.Packages))
	}
}

// A namespace is that of one document only.
func TestNamespace(t *testing.T) {
	image, platform := example(t)
	seen := map[string]bool{}
	for range 2 {
		raw, err := Document(SPDX, image, "", []Platform{platform})
		var doc v2_3.Document
		if err := errors.Join(err, json.Unmarshal(raw, &doc)); err != nil {
			t.Fatal(err)
		}
		if seen[doc.DocumentNamespace] || !strings.Contains(doc.DocumentNamespace, "/sbom/sha256/"+digest(t, "aa").String()+"/") {
			t.Errorf("namespace %s", doc.DocumentNamespace)
		}
		seen[doc.DocumentNamespace] = true
		platform.Packages = platform.Packages[:1]
	}
}

type files struct {
	program string
	debs    map[versions.Digest][]byte
}

func (f files) Path(context.Context, versions.Pin) (string, error) { return f.program, nil }

func (f files) OpenPackage(_ context.Context, pin versions.PackagePin) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(f.debs[pin.SHA256])), nil
}

func TestRead(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := files{program, map[versions.Digest][]byte{}}
	amd64 := must(t, versions.ParsePlatform, "linux/amd64")
	var sets []versions.PackageSet
	for _, p := range []debtest.Package{{Name: "low"}, {Name: "libc6", Fields: "Source: glibc\nHomepage: https://gnu.example\n"}, {Name: "mount", Fields: "Source: util-linux (2.41)\n"}} {
		raw := p.Build(t, ".zst")
		pin := p.Pin(t, p.Name, raw)
		f.debs[versions.NewDigest(sha256.Sum256(raw))] = raw
		sets = append(sets, versions.PackageSet{Name: p.Name, Packages: []versions.PackagePin{pin}})
	}
	build := versions.Build{Platform: amd64, Layers: []versions.Layer{
		{Symlinks: []versions.Symlink{{Path: "/a", Target: "b"}}}, {Path: "/program"}, {Path: "/lock.json", Pinned: []versions.Layer{{Path: "/program"}}},
	}}
	for i := range sets {
		build.Layers = append(build.Layers, versions.Layer{Packages: &versions.PackageLayer{Platform: amd64, Sets: sets[:i+1]}})
	}
	c, err := Read(t.Context(), f, &versions.Catalog{Manifest: &versions.Manifest{}, Lock: versions.NewLock()}, build)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Programs) != 1 || c.Programs[0].Path != "/program" || c.Programs[0].toolchain() == "" {
		t.Errorf("programs %+v", c.Programs)
	}
	if len(c.Files) != 1 || c.Files[0].Path != "/lock.json" || c.Files[0].SHA256 == (versions.Digest{}) {
		t.Errorf("files %+v", c.Files)
	}
	var got []string
	for _, p := range c.Packages {
		got = append(got, strings.TrimSpace(p.Name+" "+p.SourceName+" "+p.SourceVersion+" "+p.Homepage))
	}
	if want := "low low 1.0|libc6 glibc 1.0 https://gnu.example|mount util-linux 2.41"; strings.Join(got, "|") != want {
		t.Errorf("packages %q, want %q", got, want)
	}
	clear(f.debs)
	if _, err := Read(t.Context(), f, &versions.Catalog{Manifest: &versions.Manifest{}, Lock: versions.NewLock()}, build); err == nil || !strings.Contains(err.Error(), "debian/low/linux/amd64/low") {
		t.Errorf("a broken package: got %v", err)
	}
}
