package verify

import (
	"archive/tar"
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/hyperkube/hyperkube/versions"
)

// Every header field that could differ between two builds is checked.
func TestCheckLayerHeader(t *testing.T) {
	want := versions.Layer{Symlinks: []versions.Symlink{{Path: "/kubectl", Target: "hyperkube"}}}
	for name, test := range map[string]struct {
		change func(*tar.Header)
		want   string // error; "" for none
	}{
		"unchanged":  {func(*tar.Header) {}, ""},
		"name":       {func(h *tar.Header) { h.Name = "kubelet" }, `want /kubectl, got "kubelet"`},
		"mode":       {func(h *tar.Header) { h.Mode = 0o755 }, "want mode 0777, got 0755"},
		"setuid":     {func(h *tar.Header) { h.Mode |= 0o4000 }, "want mode 0777, got 4777"},
		"uid":        {func(h *tar.Header) { h.Uid = 1000 }, `want owner 0:0, got 1000:0 ("":"")`},
		"gid":        {func(h *tar.Header) { h.Gid = 100 }, `want owner 0:0, got 0:100 ("":"")`},
		"user name":  {func(h *tar.Header) { h.Uname = "root" }, `want owner 0:0, got 0:0 ("root":"")`},
		"group name": {func(h *tar.Header) { h.Gname = "root" }, `want owner 0:0, got 0:0 ("":"root")`},
		"mtime":      {func(h *tar.Header) { h.ModTime = time.Unix(1, 0) }, "want modification time 0, got 1970-01-01"},
		"type":       {func(h *tar.Header) { h.Typeflag = tar.TypeLink }, `want a symlink to "hyperkube", got type '1'`},
		"target":     {func(h *tar.Header) { h.Linkname = "/hyperkube" }, `want a symlink to "hyperkube", got type '2' to "/hyperkube"`},
	} {
		t.Run(name, func(t *testing.T) {
			h := &tar.Header{Typeflag: tar.TypeSymlink, Name: "kubectl", Linkname: "hyperkube", Mode: 0o777}
			test.change(h)
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
			if err != nil {
				t.Fatal(err)
			}
			i := &inspector{}
			_, err = i.checkLayer(t.Context(), versions.Platform{}, want, layer)
			if test.want == "" && (err != nil || len(i.findings) != 1) {
				t.Errorf("got %v, %v, want one finding", i.findings, err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// countingLayer counts the uncompressed bytes that are read of it.
type countingLayer struct {
	v1.Layer
	n int64
}

func (l *countingLayer) Uncompressed() (io.ReadCloser, error) {
	r, err := l.Layer.Uncompressed()
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(r, l), r}, err
}

func (l *countingLayer) Write(p []byte) (int, error) {
	l.n += int64(len(p))
	return len(p), nil
}

// A layer that unpacks to more bytes than its pin allows is refused at the bound,
// and its bytes are not written to disk.
func TestCheckLayerTooLarge(t *testing.T) {
	const bomb = 32 << 20
	// Writing to TMPDIR would fail.
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	platform, err := versions.ParsePlatform("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	file := versions.FileKey{Source: "programs", Platform: platform, File: "sleep"}
	header := tar.Header{Typeflag: tar.TypeReg, Name: "sleep", Mode: 0o755, Size: bomb}
	small := tar.Header{Typeflag: tar.TypeReg, Name: "sleep", Mode: 0o755, Size: 1000}
	link := tar.Header{Typeflag: tar.TypeSymlink, Name: "wake", Mode: 0o777, Linkname: "sleep"}
	links := []versions.Symlink{{Path: "/wake", Target: "sleep"}}
	for name, test := range map[string]struct {
		want    versions.Layer
		header  tar.Header
		read    int64 // at most, in bytes
		message string
	}{
		"pinned size":       {versions.Layer{Path: "/sleep", Mode: 0o755, Pin: versions.Pin{FileKey: file, Size: 1000}}, header, 1 << 20, "want 1000 bytes of programs/linux/amd64/sleep, got 33554432"},
		"unknown size":      {versions.Layer{Path: "/sleep", Mode: 0o755, Pin: versions.Pin{FileKey: file}}, header, bomb + 1<<20, "want sha256  of programs/linux/amd64/sleep, got"},
		"data after a file": {versions.Layer{Path: "/sleep", Mode: 0o755, Pin: versions.Pin{FileKey: file, Size: 1000}}, small, 2 << 20, "want at most 1049576 bytes, got more"},
		"trailing data":     {versions.Layer{Symlinks: links}, link, 2 << 20, "want at most 1048576 bytes, got more"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			if err := w.WriteHeader(&test.header); err != nil {
				t.Fatal(err)
			}
			b.Write(make([]byte, bomb+1024))
			layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
			if err != nil {
				t.Fatal(err)
			}
			counting := &countingLayer{Layer: layer}
			_, err = (&inspector{}).checkLayer(t.Context(), platform, test.want, counting)
			if err == nil || !strings.Contains(err.Error(), test.message) || Incomplete(err) {
				t.Errorf("got %v, want %s", err, test.message)
			}
			if counting.n > test.read {
				t.Errorf("read %d bytes, want at most %d", counting.n, test.read)
			}
		})
	}
}
