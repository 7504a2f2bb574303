package inspect

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/klauspost/compress/zstd"
)

// writeLayout writes a layout with an image or an index.
func writeLayout(t testing.TB, content mutate.Appendable) string {
	t.Helper()
	dir := t.TempDir()
	p, err := layout.Write(dir, empty.Index)
	if err == nil {
		switch content := content.(type) {
		case v1.ImageIndex:
			err = p.AppendIndex(content)
		case v1.Image:
			err = p.AppendImage(content)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// writeTar writes a tar of a directory.
func writeTar(t testing.TB, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func compress(t testing.TB, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".zst", z.EncodeAll(raw, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	return file + ".zst"
}

// summary returns a line for each file, and the violations.
func summary(r Report) string {
	var lines []string
	for _, image := range r.Images {
		for _, p := range image.Platforms {
			for _, f := range p.Files {
				line := fmt.Sprintf("%s %d %s %s", p.Platform, f.Layer, f.Path, f.Verdict)
				if f.Hidden {
					line += " hidden"
				}
				if len(f.Links) > 0 {
					line += " " + strings.Join(f.Links, ",")
				}
				lines = append(lines, line)
			}
			if p.Others != (Others{}) {
				lines = append(lines, fmt.Sprintf("%s others %+v", p.Platform, p.Others))
			}
		}
		lines = append(lines, image.Violations...)
	}
	return strings.Join(lines, "\n")
}

const goodFiles = `linux/amd64 0 /kubelet official
linux/amd64 1 /usr/bin/kubectl official`

// All sources give the same answer.
func TestSources(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	tag, err := name.NewTag(strings.TrimPrefix(server.URL, "http://") + "/mirror/kube:v1")
	if err != nil {
		t.Fatal(err)
	}
	amd64 := good(t, "amd64")
	both := index(amd64, good(t, "arm64"))
	if err := remote.WriteIndex(tag, both); err != nil {
		t.Fatal(err)
	}
	dir := writeLayout(t, both)
	docker := filepath.Join(t.TempDir(), "docker.tar")
	if err := tarball.WriteToFile(docker, tag, amd64); err != nil {
		t.Fatal(err)
	}
	digest, err := both.Digest()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := amd64.Digest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := amd64.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	recorded := record.New("")
	recorded.Index = digest.String()
	recorded.Manifests["linux/amd64"] = manifest.String()
	recorded.DiffIDs["linux/amd64"] = hashes(config.RootFS.DiffIDs)
	o := Options{Index: newIndex(t, record.Records{"hyperkube:v1.36.0": recorded})}
	twoPlatforms := goodFiles + "\n" + strings.ReplaceAll(goodFiles, "amd64", "arm64")
	for source, test := range map[string]struct {
		inspect func() (Report, error)
		want    string
		names   string
	}{
		"tag": {func() (Report, error) { return Registry(t.Context(), tag.String(), o) }, twoPlatforms, tag.String()},
		"digest": {func() (Report, error) {
			return Registry(t.Context(), tag.Repository.Digest(digest.String()).String(), o)
		}, twoPlatforms, tag.Repository.Digest(digest.String()).String()},
		"layout":             {func() (Report, error) { return Layout(t.Context(), dir, o) }, twoPlatforms, ""},
		"OCI archive":        {func() (Report, error) { return Archive(t.Context(), writeTar(t, dir), o) }, twoPlatforms, ""},
		"compressed archive": {func() (Report, error) { return Archive(t.Context(), compress(t, writeTar(t, dir)), o) }, twoPlatforms, ""},
		"docker archive":     {func() (Report, error) { return Archive(t.Context(), docker, o) }, goodFiles, tag.String()},
	} {
		t.Run(source, func(t *testing.T) {
			r, err := test.inspect()
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(r); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			image := r.Images[0]
			if names := strings.Join(image.Names, ","); names != test.names {
				t.Errorf("got names %q, want %q", names, test.names)
			}
			p := image.Platforms[0]
			if strings.Join(p.SameLayers, ",") != "hyperkube:v1.36.0" {
				t.Errorf("got same layers %q", p.SameLayers)
			}
			if source != "docker archive" && (len(image.Recorded) != 1 || len(p.Recorded) != 1) {
				t.Errorf("got records %q, %q", image.Recorded, p.Recorded)
			}
		})
	}
	if _, err := Registry(t.Context(), "kube:v1", o); err == nil || !strings.Contains(err.Error(), "want a reference like") {
		t.Errorf("without a registry: %v", err)
	}
}

func TestViolations(t *testing.T) {
	kubelet := program("kubelet", "amd64")
	for name, test := range map[string]struct {
		content mutate.Appendable
		want    string
	}{
		"changed": {
			image(t, "amd64", []entry{{name: "kubelet", content: kubelet[:40] + "x" + kubelet[41:]}}),
			"linux/amd64 0 /kubelet differs\nlinux/amd64 /kubelet: not in the lock: other bytes than kubernetes/v1.36.0/linux/amd64/kubelet, with the same platform, version, size: changed after the build\nlinux/amd64: no file of the lock found",
		},
		"another file by name": {
			image(t, "amd64", []entry{{name: "kubectl", content: program("kubectl", "amd64")}, {name: "usr/bin/kubelet", content: "#!/bin/sh\n"}, {name: "completions/kubelet", content: "x", mode: 0o644}}),
			"linux/amd64 0 /kubectl official\nlinux/amd64 0 /usr/bin/kubelet unknown\nlinux/amd64 others {Files:1 Bytes:1 ELF:0}\nlinux/amd64 /usr/bin/kubelet: not in the lock: a script, not a binary: it may call one; explain that",
		},
		"another platform": {
			image(t, "arm64", []entry{{name: "kubelet", content: kubelet}}),
			"linux/arm64 0 /kubelet official\nlinux/arm64 /kubelet: kubernetes/v1.36.0/linux/amd64/kubelet is for another platform",
		},
		"no file": {
			image(t, "amd64", []entry{{name: "bin/sh", content: "\x7fELF"}}),
			"linux/amd64 others {Files:1 Bytes:4 ELF:1}\nlinux/amd64: no file of the lock found",
		},
		"wrong diffID": {
			withDiffIDs(t, good(t, "amd64")),
			goodFiles, // and a violation with digests; see below
		},
		"index and config differ": {
			mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: good(t, "amd64"), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}}),
			"the index says linux/arm64, the config linux/amd64",
		},
		"one of two platforms": {
			index(good(t, "amd64"), image(t, "arm64", []entry{{name: "kubelet", content: kubelet}})),
			goodFiles + "\nlinux/arm64 0 /kubelet official\nlinux/arm64 /kubelet: kubernetes/v1.36.0/linux/amd64/kubelet is for another platform",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Layout(t.Context(), writeLayout(t, test.content), Options{Index: newIndex(t, nil)})
			if err != nil {
				t.Fatal(err)
			}
			got := summary(r)
			switch name {
			case "wrong diffID":
				var violations string
				if got, violations, _ = strings.Cut(got, "\nlinux/amd64 layer 0: "); !strings.HasPrefix(violations, "want diffID sha256:") {
					t.Errorf("got violations %q", violations)
				}
			case "index and config differ":
				_, got, _ = strings.Cut(got, ": ")
			}
			if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// withDiffIDs exchanges the diffIDs of an image.
func withDiffIDs(t *testing.T, img v1.Image) v1.Image {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	slices.Reverse(config.RootFS.DiffIDs)
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

// Attestations are skipped, and so are other platforms if one is wanted.
func TestSelection(t *testing.T) {
	attestation := mutate.IndexAddendum{Add: good(t, "amd64"), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}}
	artifact := mutate.IndexAddendum{Add: mutate.ConfigMediaType(good(t, "arm64"), "application/vnd.example+json")}
	inner := mutate.IndexAddendum{Add: index(good(t, "arm64"))}
	dir := writeLayout(t, mutate.AppendManifests(index(good(t, "amd64")), attestation, artifact, inner))
	r, err := Layout(t.Context(), dir, Options{Index: newIndex(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := summary(r), goodFiles+"\n"+strings.ReplaceAll(goodFiles, "amd64", "arm64"); got != want || len(r.Images[0].Skipped) != 2 {
		t.Errorf("got\n%s\nwant\n%s\nskipped %q", got, want, r.Images[0].Skipped)
	}
	platform, err := versions.ParsePlatform("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	if r, err = Layout(t.Context(), dir, Options{Index: newIndex(t, nil), Platform: platform}); err != nil || summary(r) != goodFiles {
		t.Errorf("one platform: got\n%s, %v", summary(r), err)
	}
	if r, err = Layout(t.Context(), writeLayout(t, good(t, "arm64")), Options{Index: newIndex(t, nil), Platform: platform}); err == nil {
		t.Errorf("no image for the platform: got %+v", r)
	}
}

// deepIndex returns an index in n indexes.
func deepIndex(t *testing.T, n int) v1.ImageIndex {
	t.Helper()
	i := index(good(t, "amd64"))
	for range n {
		i = mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: i})
	}
	return i
}

// Damaged blobs are violations.
func TestDamage(t *testing.T) {
	layerOf := func(t *testing.T, dir string, n int) string {
		t.Helper()
		m, err := good(t, "amd64").Manifest()
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, "blobs/sha256", m.Layers[n].Digest.Hex)
	}
	for name, test := range map[string]struct {
		damage func(t *testing.T, dir string) error
		want   string
	}{
		"flipped": {func(t *testing.T, dir string) error {
			file := layerOf(t, dir, 0)
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			raw[9] ^= 1 // the operating system in gzip's header, which nothing else depends on
			return os.WriteFile(file, raw, 0o644)
		}, "layer 0: want sha256:"},
		"truncated": {func(t *testing.T, dir string) error { return os.Truncate(layerOf(t, dir, 0), 100) }, "layer 0: reading tar"},
		"extended": {func(t *testing.T, dir string) error {
			f, err := os.OpenFile(layerOf(t, dir, 0), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("more")
			return err
		}, "layer 0: "},
		"missing layer": {func(t *testing.T, dir string) error { return os.Remove(layerOf(t, dir, 1)) }, "layer 1: open"},
		"another layer": {func(t *testing.T, dir string) error { return os.Rename(layerOf(t, dir, 0), layerOf(t, dir, 1)) }, "layer 1: want sha256:"},
		"changed config": {func(t *testing.T, dir string) error {
			m, err := good(t, "amd64").Manifest()
			if err != nil {
				return err
			}
			file := filepath.Join(dir, "blobs/sha256", m.Config.Digest.Hex)
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return os.WriteFile(file, bytes.Replace(raw, []byte(`"amd64"`), []byte(`"arm64"`), 1), 0o644)
		}, "got sha256"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeLayout(t, good(t, "amd64"))
			if err := test.damage(t, dir); err != nil {
				t.Fatal(err)
			}
			r, err := Layout(t.Context(), dir, Options{Index: newIndex(t, nil)})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(r.Violations(), "\n"); !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			archive, err := Archive(t.Context(), writeTar(t, dir), Options{Index: newIndex(t, nil)})
			if err != nil || len(archive.Violations()) == 0 {
				t.Errorf("archive: got %+v, %v, want a violation", archive, err)
			}
		})
	}
	r, err := Layout(t.Context(), writeLayout(t, deepIndex(t, maxDepth)), Options{Index: newIndex(t, nil)})
	if err != nil || len(r.Violations()) != 1 || !strings.Contains(r.Violations()[0], "want an index or the manifest of an image") {
		t.Errorf("deep index: got %+v, %v", r, err)
	}
}

func TestArchiveErrors(t *testing.T) {
	o := Options{Index: newIndex(t, nil)}
	for name, test := range map[string]struct {
		content   []byte
		want      string
		violation bool
	}{
		"no archive":     {[]byte("<html>"), "want a tar archive of images", false},
		"no image":       {tarOf(t, entry{name: "file", content: "x"}), "want a file index.json or manifest.json", false},
		"no config":      {tarOf(t, entry{name: "manifest.json", content: `[{"Config":"c.json"}]`}), `missing config "c.json"`, true},
		"no layer":       {tarOf(t, entry{name: "manifest.json", content: `[{"Config":"c.json","Layers":["l.tar"]}]`}, entry{name: "c.json", content: "{}"}), `missing layer "l.tar"`, true},
		"empty":          {tarOf(t, entry{name: "manifest.json", content: `[]`}), "has no image", false},
		"another config": {tarOf(t, entry{name: "manifest.json", content: `[{"Config":"` + strings.Repeat("a", 64) + `.json"}]`}, entry{name: strings.Repeat("a", 64) + ".json", content: "{}"}), "has sha256", true},
		"cut":            {tarOf(t, entry{name: "index.json", content: strings.Repeat("{", 1000)})[:700], "unexpected EOF", false},
		"loop of links":  {tarOf(t, entry{name: "manifest.json", content: `[{"Config":"a"}]`}, entry{name: "a", content: "b", kind: tar.TypeSymlink}, entry{name: "b", content: "a", kind: tar.TypeSymlink}), `missing config "a"`, true},
	} {
		file := filepath.Join(t.TempDir(), "image.tar")
		if err := os.WriteFile(file, test.content, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Archive(t.Context(), file, o)
		if err == nil || !strings.Contains(err.Error(), test.want) || IsViolation(err) != test.violation {
			t.Errorf("%s: got %+v, %v, violation %v, want %q, %v", name, r, err, IsViolation(err), test.want, test.violation)
		}
	}
}

// Old versions of docker write a layer of two images once, and links to it.
func TestArchiveLinks(t *testing.T) {
	img := good(t, "amd64")
	config, err := img.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	content := tarOf(t,
		entry{name: "c.json", content: string(config)},
		entry{name: "a/layer.tar", content: string(tarOf(t, entry{name: "kubelet", content: program("kubelet", "amd64")}))},
		entry{name: "x/layer.tar", content: string(tarOf(t, entry{name: "./usr/bin/kubectl", content: program("kubectl", "amd64")}))},
		entry{name: "b/layer.tar", content: "../x/layer.tar", kind: tar.TypeSymlink},
		entry{name: "manifest.json", content: `[{"Config":"c.json","RepoTags":["x:v1"],"Layers":["a/layer.tar","b/layer.tar"]}]`},
	)
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Archive(t.Context(), file, Options{Index: newIndex(t, nil)})
	if err != nil || summary(r) != goodFiles {
		t.Errorf("got\n%s, %v", summary(r), err)
	}
}
