package inspect

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/identify"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

const manifest = `schema: 1
registry: registry.example
sources:
  kubernetes:
    kind: release
    url: https://dl.k8s.io/{version}/{os}/{arch}/{file}
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
releases: [v1.36.0]
`

// program returns an ELF header, followed by what the Go linker writes into a program
// of Kubernetes.
func program(name, arch string) string {
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(header[18:], map[string]uint16{"amd64": 62, "arm64": 183}[arch])
	return string(header) +
		"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6" +
		"path\tk8s.io/kubernetes/cmd/" + name + "\nbuild\tGOARCH=" + arch + "\nbuild\tGOOS=linux\n" +
		"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2" +
		"v1.36.0\x00"
}

// newIndex returns an index whose lock has the programs of the manifest.
func newIndex(t testing.TB, records record.Records) *identify.Index {
	t.Helper()
	m, err := versions.ParseManifest("m.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	lock := versions.NewLock()
	for _, key := range m.RequiredFiles(lock) {
		content := program(key.File, key.Platform.Arch())
		lock.Set(versions.Pin{FileKey: key, SHA256: versions.NewDigest(sha256.Sum256([]byte(content))), Size: int64(len(content)), URL: "https://dl.k8s.io/" + key.String()})
	}
	catalog, err := versions.Resolve(m, lock)
	if err != nil {
		t.Fatal(err)
	}
	index, err := identify.New(checkout.Data{Catalog: catalog, Records: records}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// entry is an entry of a layer.
type entry struct {
	name, content string
	kind          byte // a file unless set
	mode          int64
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: e.mode}
		switch e.kind {
		case 0:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.content))
		default:
			h.Linkname = e.content
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if e.kind == 0 {
			if _, err := io.WriteString(w, e.content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// image returns an image of docker's media types with a layer for each list of entries.
func image(t testing.TB, arch string, layers ...[]entry) v1.Image {
	t.Helper()
	var all []v1.Layer
	for _, entries := range layers {
		content := tarOf(t, entries...)
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	img, err := mutate.AppendLayers(empty.Image, all...)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture = "linux", arch
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

// good returns an image with the official programs.
func good(t testing.TB, arch string) v1.Image {
	t.Helper()
	return image(t, arch, []entry{{name: "kubelet", content: program("kubelet", arch)}}, []entry{{name: "./usr/bin/kubectl", content: program("kubectl", arch)}})
}

func index(images ...v1.Image) v1.ImageIndex {
	i := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, img := range images {
		i = mutate.AppendManifests(i, mutate.IndexAddendum{Add: img})
	}
	return i
}
