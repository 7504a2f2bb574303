//go:build rules

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/debian/packagelayer"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// TestRules compares the small images that Bazel has built, with rules_oci or its
// stand-in, with those of the Go code.
func TestRules(t *testing.T) {
	a := fixture{"//tools/conformance:a", []layer.Entry{{Path: "/a", Mode: 0o755}}, "a.txt", versions.Gzip}
	b := fixture{"//tools/conformance:b", []layer.Entry{{Path: "/usr/b", Mode: 0o444}}, "b.txt", versions.Zstd}
	links := fixture{"//tools/conformance:links", layer.Symlinks([]versions.Symlink{{Path: "/l", Target: "/a"}, {Path: "/usr/m", Target: "b"}}), "", versions.Gzip}
	pinned := fixture{"//tools/conformance:pinned", []layer.Entry{{Path: "/usr/a", Mode: 0o755}}, "a.txt", versions.Gzip}
	pins := func(arch string) fixture {
		return fixture{"//tools/conformance:pins_rich_" + arch, []layer.Entry{{Path: "/usr/share/pins.json", Mode: 0o644}}, "pins.txt", versions.Zstd}
	}
	packages := fixture{"//tools/conformance:packages", nil, "packages.json", versions.Zstd}
	// Layers are those of each platform, in the order of the index.
	tests := map[string]struct {
		image  oci.ImageSpec
		based  bool
		layers [][]fixture
	}{
		"bare": {oci.ImageSpec{Entrypoint: []string{"/a"}}, false, [][]fixture{{a}, {a}}},
		"rich": {oci.ImageSpec{
			Entrypoint: []string{"/usr/b", "say \"hi\"", "a b"},
			Cmd:        []string{"x", "--y=z"},
			Env:        []versions.Pair{{Key: "B", Value: "2=3"}, {Key: "A", Value: "<&>"}},
			Labels:     []versions.Pair{{Key: "org.b", Value: "1"}, {Key: "org.a", Value: "two words"}},
			User:       "65532:65532",
			WorkingDir: "/tmp",
		}, false, [][]fixture{{packages, b, pinned, links, pins("amd64")}, {packages, b, pinned, links, pins("arm64")}}},
		"based": {oci.ImageSpec{
			Entrypoint: []string{"/a"},
			Env:        []versions.Pair{{Key: "PATH", Value: "/opt:$PATH"}, {Key: "NEW", Value: "${PATH}:$B-$NONE-$"}, {Key: "B", Value: "third"}},
			Labels:     []versions.Pair{{Key: "org.b", Value: "1"}, {Key: "org.a", Value: "two"}},
			WorkingDir: "/tmp",
		}, true, [][]fixture{{a, b}, {links}}},
		"kept": {oci.ImageSpec{
			Annotations: []versions.Pair{{Key: "org.c", Value: "1"}, {Key: "org.z", Value: "2"}},
			User:        "65532:65532",
		}, true, [][]fixture{{}, {a}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir, blobs := t.TempDir(), t.TempDir()
			var images []oci.Image
			for i, arch := range []string{"amd64", "arm64"} {
				image := test.image
				image.OS, image.Arch = "linux", arch
				if test.based {
					image.Base = readBase(t, filepath.Join("testdata", "base", arch), blobs)
				}
				for _, l := range test.layers[i] {
					image.Layers = append(image.Layers, oci.Layer{Descriptor: l.write(t, blobs), Label: l.label})
				}
				m, err := oci.Compose(image)
				if err != nil {
					t.Fatal(err)
				}
				images = append(images, m)
			}
			index := oci.Index(images)
			copyLayer := oci.CopyLayerFiles(func(digest string) string { return filepath.Join(blobs, digest) })
			if err := oci.WriteIndex(dir, index, images, copyLayer); err != nil {
				t.Fatal(err)
			}
			differences, files, err := difference(dir, name)
			if err != nil || files < 5 {
				t.Fatalf("%d files, %v", files, err)
			}
			for _, d := range differences {
				t.Error(d)
			}
		})
	}
}

// readBase reads a base image of the BUILD file and copies its layers to blobs.
func readBase(t *testing.T, dir, blobs string) *oci.Base {
	t.Helper()
	base, err := oci.ReadBase(dir)
	if err != nil {
		t.Fatal(err)
	}
	copyLayer := oci.CopyLayerFiles(func(digest string) string { return oci.BlobPath(dir, digest) })
	for _, l := range base.Layers {
		if err := copyLayer(l.Digest, filepath.Join(blobs, l.Digest)); err != nil {
			t.Fatal(err)
		}
	}
	return base
}

// fixture is a layer target of the BUILD file: a file, the specification of a layer of
// packages, or symlinks.
type fixture struct {
	label       string
	entries     []layer.Entry
	file        string
	compression versions.Compression
}

func (l fixture) write(t *testing.T, dir string) layer.Descriptor {
	t.Helper()
	var content []byte
	var err error
	if l.file != "" {
		if content, err = os.ReadFile(filepath.Join("testdata", l.file)); err != nil {
			t.Fatal(err)
		}
	}
	var d layer.Descriptor
	var out bytes.Buffer
	if filepath.Ext(l.file) == ".json" {
		var spec versions.PackageLayer
		if err := json.Unmarshal(content, &spec); err != nil {
			t.Fatal(err)
		}
		d, err = packagelayer.Write(t.Context(), &out, spec, packagelayer.Dir("testdata"), l.compression)
	} else {
		if l.file != "" {
			l.entries[0].Content, l.entries[0].Size = bytes.NewReader(content), int64(len(content))
		}
		d, err = layer.Write(t.Context(), &out, l.compression, l.entries...)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, d.Digest), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return d
}
