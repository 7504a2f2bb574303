package inspect

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// Files are hidden by higher layers that remove or replace them.
func TestHidden(t *testing.T) {
	kubelet, kubectl := program("kubelet", "amd64"), program("kubectl", "amd64")
	img := image(t, "amd64",
		[]entry{
			{name: "a/kubelet", content: kubelet},
			{name: "b/c/kubelet", content: kubelet},
			{name: "d/kubelet", content: kubelet},
			{name: "e/kubelet", content: kubelet},
			{name: "f/kubelet", content: kubelet},
			{name: "kept/kubelet", content: kubelet},
		},
		[]entry{
			{name: "a/.wh.kubelet"},
			{name: ".wh.b"},
			{name: "d/.wh..wh..opq"},
			{name: "d/kubectl", content: kubectl},
			{name: "e", content: "f", kind: tar.TypeSymlink},
			{name: "f/kubelet", content: kubectl},
			{name: "kept", kind: tar.TypeDir},
			{name: "kept/link", content: "/kept/kubelet", kind: tar.TypeLink},
		},
	)
	r, err := Layout(t.Context(), writeLayout(t, img), Options{Index: newIndex(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	want := `linux/amd64 0 /a/kubelet official hidden
linux/amd64 0 /b/c/kubelet official hidden
linux/amd64 0 /d/kubelet official hidden
linux/amd64 0 /e/kubelet official hidden
linux/amd64 0 /f/kubelet official hidden
linux/amd64 0 /kept/kubelet official /kept/link
linux/amd64 1 /d/kubectl official
linux/amd64 1 /f/kubelet official`
	if got := summary(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every entry of a path is looked up: clients differ in the one that they unpack.
func TestDuplicates(t *testing.T) {
	img := image(t, "amd64", []entry{{name: "kubelet", content: program("kubelet", "amd64")}, {name: "../kubelet", content: "evil"}})
	r, err := Layout(t.Context(), writeLayout(t, img), Options{Index: newIndex(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	want := "linux/amd64 0 /kubelet official\nlinux/amd64 0 /kubelet unknown\nlinux/amd64 /kubelet: not in the lock: a text, not a binary"
	if got := summary(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// All files are listed if wanted.
func TestAll(t *testing.T) {
	img := image(t, "amd64", []entry{{name: "kubelet", content: program("kubelet", "amd64")}, {name: "etc/file", content: "x"}})
	r, err := Layout(t.Context(), writeLayout(t, img), Options{Index: newIndex(t, nil), All: true})
	if want := "linux/amd64 0 /kubelet official\nlinux/amd64 0 /etc/file unknown"; err != nil || summary(r) != want {
		t.Errorf("got\n%s, %v", summary(r), err)
	}
}

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sparse returns a tar with a file of size zeros in old GNU format, which takes one
// block.
func sparse(size int64) []byte {
	h := make([]byte, 512)
	copy(h, "hole")
	copy(h[100:], "0000644\x00")
	copy(h[108:], "0000000\x000000000\x00")
	copy(h[124:], fmt.Sprintf("%011o\x00%011o\x00", 0, 0))
	h[156] = tar.TypeGNUSparse
	copy(h[257:], "ustar  \x00")
	copy(h[386:], fmt.Sprintf("%011o\x00%011o\x00", size, 0))
	copy(h[483:], fmt.Sprintf("%011o\x00", size))
	sum := 8 * int64(' ')
	for _, c := range h {
		sum += int64(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return append(h, make([]byte, 1024)...)
}

func TestLimits(t *testing.T) {
	l := limits{entries: 3, bytes: 1 << 20, small: 4096, ratio: 10}
	zeros := tarOf(t, entry{name: "zeros", content: strings.Repeat("\x00", 100_000)})
	for name, test := range map[string]struct {
		blob []byte
		want string
	}{
		"small":         {tarOf(t, entry{name: "a", content: "x"}), ""},
		"uncompressed":  {zeros, ""},
		"ratio":         {gzipped(t, zeros), "want at most 10 times the compressed bytes"},
		"holes":         {sparse(100_000), "want at most 10 times the compressed bytes"},
		"large holes":   {sparse(1 << 32), "want at most 10 times the compressed bytes"},
		"entries":       {tarOf(t, entry{name: "a"}, entry{name: "b"}, entry{name: "c"}, entry{name: "d"}), "want at most 3 entries"},
		"size":          {tarOf(t, entry{name: "a", content: strings.Repeat("x", 1<<20)}), "want at most 1048576 bytes in a layer"},
		"after the tar": {gzipped(t, append(tarOf(t, entry{name: "a"}), make([]byte, 100_000)...)), "want at most 10 times the compressed bytes"},
	} {
		got, err := scanner{newIndex(t, nil), false, l}.scan(t.Context(), bytes.NewReader(test.blob))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if (got.problem == nil) != (test.want == "") || got.problem != nil && !strings.Contains(got.problem.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, got.problem, test.want)
		}
	}
}

// An error of the source is none of the layer.
func TestReadError(t *testing.T) {
	blob := gzipped(t, tarOf(t, entry{name: "kubelet", content: program("kubelet", "amd64")}))
	broken := errors.New("connection reset")
	s := scanner{newIndex(t, nil), false, defaultLimits}
	for n := range len(blob) {
		l, err := s.scan(t.Context(), io.MultiReader(bytes.NewReader(blob[:n]), errorReader{broken}))
		if !errors.Is(err, broken) {
			t.Fatalf("after %d bytes: got %+v, %v", n, l, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.scan(ctx, bytes.NewReader(blob)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v", err)
	}
}

type errorReader struct{ error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.error }

func FuzzScan(f *testing.F) {
	plain := tarOf(f, entry{name: "kubelet", content: program("kubelet", "amd64")}, entry{name: "a/.wh.b"}, entry{name: "l", content: "kubelet", kind: tar.TypeLink})
	f.Add(plain)
	f.Add(gzipped(f, plain))
	f.Add(sparse(100_000))
	s := scanner{newIndex(f, nil), true, limits{entries: 100, bytes: 10 << 20, small: 1 << 20, ratio: 10}}
	f.Fuzz(func(t *testing.T, blob []byte) {
		l, err := s.scan(t.Context(), bytes.NewReader(blob))
		if err != nil {
			t.Fatal(err)
		}
		if l.problem == nil && l.size != int64(len(blob)) {
			t.Errorf("read %d of %d bytes", l.size, len(blob))
		}
		files([]*layer{l, l})
	})
}

func FuzzArchive(f *testing.F) {
	f.Add(tarOf(f, entry{name: "manifest.json", content: `[{"Config":"c.json","Layers":["l.tar"]}]`}, entry{name: "c.json", content: `{"rootfs":{"diff_ids":["x"]}}`}, entry{name: "l.tar", content: "x"}))
	f.Add(tarOf(f, entry{name: "index.json", content: `{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}]}`}, entry{name: "blobs/sha256/44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", content: "{}"}))
	o := Options{Index: newIndex(f, nil)}
	f.Fuzz(func(t *testing.T, content []byte) {
		a := newArchive()
		if a.read(t.Context(), o.scanner(), bytes.NewReader(content)) != nil {
			return
		}
		all, err := a.roots()
		if err != nil {
			return
		}
		if r, err := inspectAll(t.Context(), "archive", o, a, all); err == nil && len(r.Violations()) == 0 {
			t.Errorf("accepted: %+v", r)
		}
	})
}
