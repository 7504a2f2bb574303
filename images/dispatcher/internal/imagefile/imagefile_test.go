package imagefile

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"testing"
)

// archive makes a tar of lines: NAME=CONTENT is a file, NAME/ a folder,
// NAME->TARGET a link, NAME=>TARGET a hard link, NAME! a device.
func archive(t testing.TB, lines ...string) []byte {
	t.Helper()
	data, err := write(lines)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(lines []string) ([]byte, error) {
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
			return nil, err
		}
		if _, err := io.WriteString(w, content); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
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

// Layers that a runtime could unpack in only one way yield what it would.
func FuzzCopyUnpacked(f *testing.F) {
	f.Add("usr/bin/x=old\nusr/bin/y=1", "usr/bin/.wh.x=\nusr/bin/x=new", "usr/")
	f.Add("./usr/bin/x=old", "usr/.wh..wh..opq=", "/usr/bin/x=new")
	f.Add("usr/bin->../bin", ".wh.usr=\nusr/bin/x=1", "usr/bin/.wh.bin=")
	f.Add("x=1", "usr/bin/x/\nusr/bin/x=1", "usr=1\n.wh..wh.plnk=\n.wh.=")
	f.Fuzz(func(t *testing.T, bottom, middle, top string) {
		var layers []Layer
		var tree []string // of what a runtime has unpacked, "PATH=CONTENT"
		plain := true
		for _, text := range []string{bottom, middle, top} {
			lines := strings.Split(text, "\n")
			data, err := write(lines)
			if err != nil {
				t.Skip()
			}
			layers = append(layers, layer(data))
			var ok bool
			tree, ok = unpack(tree, data)
			plain = plain && ok
		}
		var b bytes.Buffer
		err := Copy(t.Context(), &b, "/usr/bin/x", 100, layers)
		if !plain {
			return
		}
		got, want := "none", "none"
		if err == nil {
			got = "=" + b.String()
		}
		for _, entry := range tree {
			if content, ok := strings.CutPrefix(entry, "/usr/bin/x="); ok && len(content) <= 100 {
				want = "=" + content
			}
		}
		if got != want {
			t.Errorf("got %q, %v; want %q of\n%q\n%q\n%q", got, err, want, bottom, middle, top)
		}
	})
}

// unpack puts a layer over a tree. It tells whether there are only plain files
// and folders, each once, and nothing that could be read in two ways.
func unpack(tree []string, data []byte) ([]string, bool) {
	var removed, files []string
	seen := map[string]bool{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || strings.Contains(h.Name, "..") && !strings.Contains(h.Name, opaque) || strings.ContainsAny(h.Name, "\x00") {
			return nil, false
		}
		content, err := io.ReadAll(r)
		name := path.Clean("/" + h.Name)
		if err != nil || seen[name] || h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
			return nil, false
		}
		seen[name] = true
		dir, base := path.Split(name)
		switch {
		case base == opaque:
			removed = append(removed, dir)
		case strings.HasPrefix(base, whiteout):
			if base == whiteout || strings.HasPrefix(base, metadata) {
				return nil, false
			}
			removed = append(removed, dir+base[len(whiteout):]+"/")
		case h.Typeflag == tar.TypeReg:
			files = append(files, name+"="+string(content))
			removed = append(removed, name+"/")
		default:
			removed = append(removed, name+"=") // a folder takes a file's place
		}
	}
	for _, a := range files {
		name, _, _ := strings.Cut(a, "=")
		for other := range seen {
			if strings.HasPrefix(other, name+"/") {
				return nil, false // a file with files in it
			}
		}
	}
	tree = slices.DeleteFunc(slices.Clone(tree), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.ContainsFunc(removed, func(gone string) bool {
			return strings.HasPrefix(name+"/", gone) || strings.HasPrefix(entry, gone)
		})
	})
	// A file below which something new lies is gone as well: reading that is
	// refused, so it is left out here.
	for _, entry := range tree {
		name, _, _ := strings.Cut(entry, "=")
		for other := range seen {
			if strings.HasPrefix(other, name+"/") {
				return nil, false
			}
		}
	}
	return append(tree, files...), true
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
