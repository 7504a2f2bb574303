package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/golden"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

var compressions = []Compression{None, Zstd, LZ4}

// The tar has the blobs of the contents at their offsets, and nothing else.
func TestWrite(t *testing.T) {
	contents, raw := pack(t, None, nil, writeIndex(t, node), writeIndex(t, tool))
	if int64(len(raw)) != contents.Size {
		t.Errorf("got %d bytes, want %d as in the contents", len(raw), contents.Size)
	}
	list := entries(t, bytes.NewReader(raw))
	var names []string
	for i, e := range list {
		names = append(names, e.Name)
		plain := tar.Header{Typeflag: tar.TypeReg, Name: e.Name, Size: e.Size, Mode: 0o644, ModTime: e.ModTime, Format: e.Format}
		if fmt.Sprint(e.Header) != fmt.Sprint(plain) || e.ModTime.Unix() != 0 || e.Format&tar.FormatUSTAR == 0 {
			t.Errorf("entry %d is %+v, want %+v", i, e.Header, plain)
		}
	}
	want := []string{ContentsFile, "oci-layout", "index.json", "manifest.json"}
	for _, b := range contents.Blobs {
		want = append(want, blobName(b.Digest))
		if got := sum(raw[b.Offset : b.Offset+b.Size]); got != b.Digest.String() {
			t.Errorf("at %d is %s, want %s", b.Offset, got, b.Digest)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("got the entries %q, want %q", names, want)
	}
	// Two images have two indexes, four manifests and configs, and six layers, of
	// which they share two.
	if len(contents.Blobs) != 2+4+4+4 {
		t.Errorf("%d blobs, want 14", len(contents.Blobs))
	}
	for i, b := range contents.Blobs {
		if isDocument := raw[b.Offset] == '{'; isDocument != (i < 10) {
			t.Errorf("blob %d of 14: document: %v; want the ten documents first", i, isDocument)
		}
	}
	// The entries and the trailer account for all bytes.
	size := int64(2 * 512)
	for _, e := range list {
		size += 512 + (e.Size+511)/512*512
	}
	if size != contents.Size {
		t.Errorf("the entries take %d bytes, the tar %d", size, contents.Size)
	}
}

// The bytes of archives must not change.
func TestBytes(t *testing.T) {
	images := []Image{writeIndex(t, node), writeIndex(t, tool)}
	var got strings.Builder
	for _, c := range compressions {
		_, raw := pack(t, c, nil, images...)
		fmt.Fprintf(&got, "%s %s\n", c, sum(raw))
		_, raw = pack(t, c, []string{"linux/arm64"}, images...)
		fmt.Fprintf(&got, "%s arm64 %s\n", c, sum(raw))
	}
	golden.File(t, filepath.Join("testdata", "golden.txt"), []byte(got.String()))
}

// Order, directories, symlinks, umask and processors must not affect the bytes.
func TestDeterministic(t *testing.T) {
	images := []Image{writeIndex(t, node), writeIndex(t, tool)}
	linked := t.TempDir()
	for _, name := range []string{"oci-layout", "index.json", "blobs"} {
		if err := os.Symlink(filepath.Join(images[0].Dir, name), filepath.Join(linked, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range compressions {
		_, want := pack(t, c, nil, images...)
		check := func(what string, images ...Image) {
			t.Helper()
			if _, got := pack(t, c, nil, images...); !bytes.Equal(got, want) {
				t.Errorf("%s: different bytes with %s", c, what)
			}
		}
		check("another order", images[1], images[0])
		check("symlinks", Image{node, linked}, images[1])
		old := syscall.Umask(0o077)
		check("another umask", images...)
		syscall.Umask(old)
		procs := runtime.GOMAXPROCS(1)
		check("one processor", images...)
		runtime.GOMAXPROCS(7)
		check("seven processors", images...)
		runtime.GOMAXPROCS(procs)
	}
}

// The archive is large enough for several frames and blocks.
func TestCompressions(t *testing.T) {
	image := large(t, 9<<20)
	_, want := pack(t, None, nil, image)
	for _, c := range []Compression{Zstd, LZ4} {
		var first []byte
		for _, procs := range []int{1, 2, 8} {
			old := runtime.GOMAXPROCS(procs)
			_, got := pack(t, c, nil, image)
			runtime.GOMAXPROCS(old)
			if first == nil {
				first = got
			}
			if !bytes.Equal(got, first) {
				t.Errorf("%s: different bytes with %d processors", c, procs)
			}
		}
		var r io.Reader = lz4.NewReader(bytes.NewReader(first))
		if c == Zstd {
			z, err := zstd.NewReader(bytes.NewReader(first))
			if err != nil {
				t.Fatal(err)
			}
			defer z.Close()
			r = z
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: decompressed %d bytes, %v; want the %d bytes of the tar", c, len(got), err, len(want))
		}
	}
}

// The first platform is the one for docker; their order has no other effect.
func TestPlatforms(t *testing.T) {
	image := writeIndex(t, node)
	all, raw := pack(t, None, nil, image)
	both, rawBoth := pack(t, None, []string{"linux/amd64", "linux/arm64"}, image)
	if !bytes.Equal(raw, rawBoth) || both.Images[0].Docker != "linux/amd64" {
		t.Errorf("explicit platforms differ from all platforms: %+v", both.Images)
	}
	other, _ := pack(t, None, []string{"linux/arm64", "linux/amd64"}, image)
	if other.Images[0].Docker != "linux/arm64" {
		t.Errorf("docker platform %s, want the first one", other.Images[0].Docker)
	}
	other.Images[0].Docker = "linux/amd64"
	if fmt.Sprint(other.Images) != fmt.Sprint(all.Images) {
		t.Errorf("got %+v, want %+v", other.Images, all.Images)
	}
	one, rawOne := pack(t, None, []string{"linux/arm64"}, image)
	// The index, a manifest, a config and two layers.
	if len(one.Blobs) != 5 || len(one.Images[0].Platforms) != 1 || one.Images[0].Platforms[0].Platform != "linux/arm64" {
		t.Errorf("got %d blobs, %+v", len(one.Blobs), one.Images)
	}
	if one.Images[0].Digest != all.Images[0].Digest {
		t.Errorf("the index is %s, want %s", one.Images[0].Digest, all.Images[0].Digest)
	}
	docker := find(t, entries(t, bytes.NewReader(rawOne)), "manifest.json")
	if want := blobName(one.Images[0].Platforms[0].Config); !strings.Contains(string(docker), want) {
		t.Errorf("docker's manifest %s has no %s", docker, want)
	}
}

// A single-platform layout has no index.
func TestSinglePlatform(t *testing.T) {
	contents, raw := pack(t, None, nil, writeImage(t, node))
	image := contents.Images[0]
	if len(image.Platforms) != 1 || image.Digest != image.Platforms[0].Manifest || image.Docker != "linux/amd64" {
		t.Errorf("got %+v", image)
	}
	_, asked := pack(t, None, []string{"linux/amd64"}, writeImage(t, node))
	if !bytes.Equal(raw, asked) {
		t.Error("different bytes with explicit platform")
	}
}

// index.json and manifest.json have exactly the fields of their formats.
func TestDocuments(t *testing.T) {
	second := "registry.example:5000/mirror/hyperkube:v1.36.0"
	image := writeIndex(t, node)
	contents, raw := pack(t, None, nil, Image{second, image.Dir}, image, writeIndex(t, tool))
	list := entries(t, bytes.NewReader(raw))
	var index struct {
		SchemaVersion int
		MediaType     string
		Manifests     []struct {
			MediaType, Digest string
			Size              int
			Annotations       map[string]string
		}
	}
	unmarshalStrict(t, find(t, list, "index.json"), &index)
	if index.SchemaVersion != 2 || index.MediaType != oci.MediaTypeIndex || len(index.Manifests) != 3 {
		t.Errorf("index.json: %+v", index)
	}
	for i, m := range index.Manifests {
		name := []string{node, tool, second}[i] // ':' sorts after '/'
		want := map[string]string{"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
		if contents.Images[i].Name != name || m.Digest != contents.Images[i].Digest.String() || !maps.Equal(m.Annotations, want) || m.MediaType != oci.MediaTypeIndex {
			t.Errorf("index.json: %+v, want %s", m, name)
		}
		if doc := find(t, list, "blobs/sha256/"+strings.TrimPrefix(m.Digest, "sha256:")); len(doc) != m.Size {
			t.Errorf("index.json: size %d, want %d", m.Size, len(doc))
		}
	}
	var docker []struct {
		Config           string
		RepoTags, Layers []string
	}
	unmarshalStrict(t, find(t, list, "manifest.json"), &docker)
	if len(docker) != 2 || !slices.Equal(docker[0].RepoTags, []string{node, second}) || !slices.Equal(docker[1].RepoTags, []string{tool}) {
		t.Fatalf("manifest.json: %+v", docker)
	}
	for i, d := range docker {
		want := contents.Images[i].Platforms[0]
		if d.Config != blobName(want.Config) || len(d.Layers) != len(want.Layers) {
			t.Errorf("manifest.json: %+v, want %+v", d, want)
		}
		for j, l := range d.Layers {
			if l != blobName(want.Layers[j]) || len(find(t, list, l)) == 0 {
				t.Errorf("manifest.json: layer %s, want %s", l, want.Layers[j])
			}
		}
	}
	if layout := string(find(t, list, "oci-layout")); layout != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("oci-layout: %s", layout)
	}
}

func unmarshalStrict(t *testing.T, raw []byte, to any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil || d.More() {
		t.Fatalf("%s: %v", raw, err)
	}
}
