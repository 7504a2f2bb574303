package imagefile

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// archive makes a tar of lines: NAME=CONTENT is a file, NAME/ a folder,
// NAME->TARGET a link, NAME=>TARGET a hard link, NAME! a device.
func archive(t testing.TB, lines ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, line := range lines {
		h := &tar.Header{Name: line, Mode: 0o755, Typeflag: tar.TypeReg}
		content := ""
		if name, target, ok := strings.Cut(line, "->"); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeSymlink
		} else if name, target, ok := strings.Cut(line, "=>"); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeLink
		} else if h.Name, content, ok = strings.Cut(line, "="); ok {
			h.Size = int64(len(content))
		} else if name, ok := strings.CutSuffix(line, "!"); ok {
			h.Name, h.Typeflag = name, tar.TypeChar
		} else {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func layer(data []byte) Layer {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

func TestCopy(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers [][]string // lowest first
		want   string     // content, or what the error has behind "error: "
	}{
		{"one layer", [][]string{{"usr/", "usr/bin/", "usr/bin/x=new"}}, "new"},
		{"no folders", [][]string{{"usr/bin/x=new"}}, "new"},
		{"dots in front", [][]string{{"./", "./usr/bin/x=new"}}, "new"},
		{"slash in front", [][]string{{"/usr/bin/x=new"}}, "new"},
		{"above", [][]string{{"usr/bin/x=old"}, {"usr/bin/x=new"}}, "new"},
		{"below", [][]string{{"usr/bin/x=new"}, {"usr/bin/y=other"}, {}}, "new"},
		{"the like", [][]string{{"usr/bin/x=new"}, {"usr/bin/xy=1", "usr/bi=2", "x=3", "usr/bin/x.d/x=4"}}, "new"},
		{"empty", [][]string{{"usr/bin/x="}}, ""},
		{"none", [][]string{{"usr/bin/y=1"}, {}}, `error: the image has no file "/usr/bin/x" in its 2 layers`},
		{"no layers", nil, "error: in its 0 layers"},

		{"whiteout", [][]string{{"usr/bin/x=old"}, {"usr/bin/.wh.x="}}, `error: layer 2 of 2 removes "/usr/bin/x"`},
		{"whiteout of a folder", [][]string{{"usr/bin/x=old"}, {"usr/.wh.bin="}}, `error: layer 2 of 2 removes "/usr/bin"`},
		{"opaque", [][]string{{"usr/bin/x=old"}, {"usr/.wh..wh..opq="}}, `error: layer 2 of 2 removes "/usr"`},
		{"opaque root", [][]string{{"usr/bin/x=old"}, {".wh..wh..opq="}}, `error: layer 2 of 2 removes "/"`},
		{"whiteout below", [][]string{{"usr/bin/x=old"}, {"usr/bin/.wh.x="}, {"usr/bin/x=new"}}, "new"},
		{"whiteout in the same layer", [][]string{{"usr/bin/x=old"}, {"usr/bin/.wh.x=", "usr/bin/x=new"}}, "new"},
		{"opaque behind in the same layer", [][]string{{"usr/bin/x=old"}, {"usr/bin/x=new", "usr/bin/.wh..wh..opq="}}, "new"},
		{"whiteout of others", [][]string{{"usr/bin/x=new"}, {"usr/bin/.wh.y=", "usr/bin/x/.wh.z=", "usr/lib/.wh..wh..opq=", ".wh..wh.plnk/"}}, "new"},
		{"whiteout of nothing", [][]string{{"usr/bin/x=new"}, {"usr/.wh.="}}, "error: which is no name"},
		{"whiteout that climbs", [][]string{{"usr/bin/x=new"}, {"usr/bin/.wh...="}}, "error: which is no name"},

		{"twice", [][]string{{"usr/bin/x=1", "./usr/bin/x=2"}}, `error: it has "/usr/bin/x" twice`},
		{"link", [][]string{{"usr/bin/x=1"}, {"usr/bin/x->../../hyperkube"}}, `error: "/usr/bin/x" is a link to "../../hyperkube"`},
		{"hard link", [][]string{{"usr/bin/x=>usr/bin/y"}}, `error: is another name of "usr/bin/y"`},
		{"folder", [][]string{{"usr/bin/x/"}}, "error: is a folder"},
		{"device", [][]string{{"usr/bin/x!"}}, "error: is a special file"},
		{"file and folder", [][]string{{"usr/bin/x=1", "usr/bin/x/"}}, `error: it has "/usr/bin/x" twice`},
		{"too large", [][]string{{"usr/bin/x=" + strings.Repeat("x", 101)}}, "error: has 101 bytes, more than the 100 allowed"},
		{"link in the way", [][]string{{"usr/bin/x=1"}, {"usr/bin->../bin"}}, `error: there is no "/usr/bin/x": "/usr/bin" is a link to "../bin"`},
		{"link in the way below", [][]string{{"usr/bin->../bin"}, {}}, `error: there is no "/usr/bin/x"`},
		{"file in the way", [][]string{{"usr/bin/x=1"}, {"usr=file"}}, `error: "/usr" is a file`},
		{"link and file", [][]string{{"usr/bin/x=1", "usr->elsewhere"}}, `error: it has "/usr/bin/x", although "/usr" is a link`},
		{"climbing", [][]string{{"usr/bin/x=1", "../../etc/passwd="}}, `error: "../../etc/passwd" climbs`},
		{"climbing inside", [][]string{{"usr/bin/y/../x=1"}}, "error: climbs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var layers []Layer
			for _, lines := range c.layers {
				layers = append(layers, layer(archive(t, lines...)))
			}
			var b bytes.Buffer
			err := Copy(t.Context(), &b, "/usr/bin/x", 100, layers)
			if want, isError := strings.CutPrefix(c.want, "error: "); isError {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, %v; want an error with %q", b.String(), err, want)
				}
			} else if err != nil || b.String() != c.want {
				t.Errorf("got %q, %v; want %q", b.String(), err, c.want)
			}
		})
	}
}

// What is wrong behind the file counts: the registry's library tells at the end
// of a layer that its hash is another one.
func TestCopyReadsToTheEnd(t *testing.T) {
	wrong := errors.New("another hash")
	data := append(archive(t, "x=1"), make([]byte, 1<<16)...)
	err := Copy(t.Context(), io.Discard, "/x", 100, []Layer{func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{wrong})), nil
	}})
	if !errors.Is(err, wrong) {
		t.Errorf("got %v; want %v", err, wrong)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestCopyCutOff(t *testing.T) {
	data := archive(t, "x="+strings.Repeat("x", 90))
	for _, n := range []int{1, 511, 513, 600} {
		if err := Copy(t.Context(), io.Discard, "/x", 100, []Layer{layer(data[:n])}); err == nil {
			t.Errorf("a layer of %d bytes of %d was read", n, len(data))
		}
	}
}

func TestCopyEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Copy(ctx, io.Discard, "/x", 100, []Layer{layer(archive(t, "x=1"))}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want %v", err, context.Canceled)
	}
}

func TestBounded(t *testing.T) {
	b := &bounded{ctx: t.Context(), r: strings.NewReader("12345"), left: 4}
	if _, err := io.ReadAll(b); err == nil || !strings.Contains(err.Error(), "unpacks to more") {
		t.Errorf("got %v", err)
	}
}

// Whatever a layer is, reading ends, never yields more than the limit, and
// yields nothing that the layer does not hold at the path.
func FuzzCopy(f *testing.F) {
	f.Add(archive(f, "usr/", "usr/bin/x=new"), archive(f, "usr/bin/.wh.x="))
	f.Add(archive(f, "usr/bin->../bin"), archive(f, "usr/.wh..wh..opq="))
	f.Add(archive(f, "usr/bin/x=1", "usr/bin/x=2"), []byte("garbage"))
	f.Add([]byte{}, archive(f, "./usr/bin/x=>y", "../x"))
	f.Fuzz(func(t *testing.T, below, above []byte) {
		var b bytes.Buffer
		err := Copy(t.Context(), &b, "/usr/bin/x", 100, []Layer{layer(below), layer(above)})
		if b.Len() > 100 {
			t.Errorf("%d bytes were read", b.Len())
		}
		if err == nil && !holds(below, b.String()) && !holds(above, b.String()) {
			t.Errorf("no layer has %q", b.String())
		}
	})
}

// holds looks for a file naively.
func holds(data []byte, content string) bool {
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err != nil {
			return false
		}
		got, err := io.ReadAll(io.LimitReader(r, 101))
		if err == nil && string(got) == content && strings.HasSuffix(h.Name, "x") {
			return true
		}
	}
}
