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

// archive returns a tar of lines: NAME=CONTENT is a file, NAME/ a directory,
// NAME->TARGET a symlink, NAME=>TARGET a hard link, NAME! a device.
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
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

func TestExtract(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers [][]string // lowest first
		want   string     // content, or "error: " and a part of the error
	}{
		{"one layer", [][]string{{"usr/", "usr/bin/", "usr/bin/x=new"}}, "new"},
		{"no directories", [][]string{{"usr/bin/x=new"}}, "new"},
		{"leading ./", [][]string{{"./", "./usr/bin/x=new"}}, "new"},
		{"leading slash", [][]string{{"/usr/bin/x=new"}}, "new"},
		{"upper layer replaces", [][]string{{"usr/bin/x=old"}, {"usr/bin/x=new"}}, "new"},
		{"lower layer", [][]string{{"usr/bin/x=new"}, {"usr/bin/y=other"}, {}}, "new"},
		{"similar names", [][]string{{"usr/bin/x=new"}, {"usr/bin/xy=1", "usr/bi=2", "x=3", "usr/bin/x.d/x=4"}}, "new"},
		{"empty", [][]string{{"usr/bin/x="}}, ""},
		{"none", [][]string{{"usr/bin/y=1"}, {}}, `error: file "/usr/bin/x" not found in the 2 layers`},
		{"no layers", nil, "error: in the 0 layers"},

		{"whiteout", [][]string{{"usr/bin/x=old"}, {"usr/bin/.wh.x="}}, `error: layer 2 of 2 removes "/usr/bin/x"`},
		{"whiteout of a directory", [][]string{{"usr/bin/x=old"}, {"usr/.wh.bin="}}, `error: layer 2 of 2 removes "/usr/bin"`},
		{"opaque whiteout", [][]string{{"usr/bin/x=old"}, {"usr/.wh..wh..opq="}}, `error: layer 2 of 2 removes "/usr"`},
		{"opaque whiteout root", [][]string{{"usr/bin/x=old"}, {".wh..wh..opq="}}, `error: layer 2 of 2 removes "/"`},
		{"whiteout in a lower layer", [][]string{{"usr/bin/x=old"}, {"usr/bin/.wh.x="}, {"usr/bin/x=new"}}, "new"},
		{"whiteout in the same layer", [][]string{{"usr/bin/x=old"}, {"usr/bin/.wh.x=", "usr/bin/x=new"}}, "new"},
		{"opaque whiteout after the file in the same layer", [][]string{{"usr/bin/x=old"}, {"usr/bin/x=new", "usr/bin/.wh..wh..opq="}}, "new"},
		{"whiteouts of other paths", [][]string{{"usr/bin/x=new"}, {"usr/bin/.wh.y=", "usr/bin/x/.wh.z=", "usr/lib/.wh..wh..opq=", ".wh..wh.plnk/"}}, "new"},
		{"whiteout without a name", [][]string{{"usr/bin/x=new"}, {"usr/.wh.="}}, `error: invalid whiteout of ""`},
		{"whiteout of ..", [][]string{{"usr/bin/x=new"}, {"usr/bin/.wh...="}}, `error: invalid whiteout of ".."`},

		{"duplicate", [][]string{{"usr/bin/x=1", "./usr/bin/x=2"}}, `error: duplicate entry "/usr/bin/x"`},
		{"symlink", [][]string{{"usr/bin/x=1"}, {"usr/bin/x->../../hyperkube"}}, `error: "/usr/bin/x" is a symlink to "../../hyperkube"; use the path of its target`},
		{"hard link", [][]string{{"usr/bin/x=>usr/bin/y"}}, `error: is a hard link to "usr/bin/y"; use that path`},
		{"directory", [][]string{{"usr/bin/x/"}}, "error: is a directory"},
		{"device", [][]string{{"usr/bin/x!"}}, "error: is a special file"},
		{"file and directory", [][]string{{"usr/bin/x=1", "usr/bin/x/"}}, `error: duplicate entry "/usr/bin/x"`},
		{"too large", [][]string{{"usr/bin/x=" + strings.Repeat("x", 101)}}, "error: has 101 bytes, want at most 100"},
		{"symlink as parent", [][]string{{"usr/bin/x=1"}, {"usr/bin->../bin"}}, `error: file "/usr/bin/x" not found: "/usr/bin" is a symlink to "../bin"`},
		{"symlink as parent in a lower layer", [][]string{{"usr/bin->../bin"}, {}}, `error: file "/usr/bin/x" not found`},
		{"file as parent", [][]string{{"usr/bin/x=1"}, {"usr=file"}}, `error: "/usr" is a file`},
		{"file below a symlink", [][]string{{"usr/bin/x=1", "usr->elsewhere"}}, `error: conflicting entries: "/usr/bin/x" is a file, but "/usr" is a symlink`},
		{"dots at the front", [][]string{{"usr/bin/x=1", "../../etc/passwd="}}, `error: entry "../../etc/passwd" has ".." in its path`},
		{"dots inside", [][]string{{"usr/bin/y/../x=1"}}, `error: entry "usr/bin/y/../x" has ".." in its path`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var layers []Layer
			for _, lines := range c.layers {
				layers = append(layers, layer(archive(t, lines...)))
			}
			var b bytes.Buffer
			err := copyFile(t.Context(), &b, "/usr/bin/x", 100, layers)
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

// The registry library reports a digest mismatch at the end of a layer, after the
// file.
func TestExtractReadsToTheEnd(t *testing.T) {
	mismatch := errors.New("digest mismatch")
	data := append(archive(t, "x=1"), make([]byte, 1<<16)...)
	err := copyFile(t.Context(), io.Discard, "/x", 100, []Layer{func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{mismatch})), nil
	}})
	if !errors.Is(err, mismatch) {
		t.Errorf("got %v; want %v", err, mismatch)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestExtractTruncated(t *testing.T) {
	data := archive(t, "x="+strings.Repeat("x", 90))
	for _, n := range []int{1, 511, 513, 600} {
		if err := copyFile(t.Context(), io.Discard, "/x", 100, []Layer{layer(data[:n])}); err == nil {
			t.Errorf("no error for %d of %d bytes of a layer", n, len(data))
		}
	}
}

func TestExtractCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := copyFile(ctx, io.Discard, "/x", 100, []Layer{layer(archive(t, "x=1"))}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want %v", err, context.Canceled)
	}
}

func TestLimitedReader(t *testing.T) {
	b := &limitedReader{ctx: t.Context(), r: strings.NewReader("12345"), left: 4}
	if _, err := io.ReadAll(b); err == nil || !strings.Contains(err.Error(), "uncompressed layer has more than") {
		t.Errorf("got %v", err)
	}
}

// For any layer, Extract ends, never writes more than the limit, and writes only the
// content of an entry.
func FuzzExtract(f *testing.F) {
	f.Add(archive(f, "usr/", "usr/bin/x=new"), archive(f, "usr/bin/.wh.x="))
	f.Add(archive(f, "usr/bin->../bin"), archive(f, "usr/.wh..wh..opq="))
	f.Add(archive(f, "usr/bin/x=1", "usr/bin/x=2"), []byte("garbage"))
	f.Add([]byte{}, archive(f, "./usr/bin/x=>y", "../x"))
	f.Fuzz(func(t *testing.T, below, above []byte) {
		var b bytes.Buffer
		err := copyFile(t.Context(), &b, "/usr/bin/x", 100, []Layer{layer(below), layer(above)})
		if b.Len() > 100 {
			t.Errorf("Extract wrote %d bytes, more than the limit", b.Len())
		}
		if err == nil && !holds(below, b.String()) && !holds(above, b.String()) {
			t.Errorf("no layer has content %q", b.String())
		}
	})
}

// For layers that are not ambiguous, Extract finds the file that a container runtime
// would unpack.
func FuzzExtractUnpacked(f *testing.F) {
	f.Add("usr/bin/x=old\nusr/bin/y=1", "usr/bin/.wh.x=\nusr/bin/x=new", "usr/")
	f.Add("./usr/bin/x=old", "usr/.wh..wh..opq=", "/usr/bin/x=new")
	f.Add("usr/bin->../bin", ".wh.usr=\nusr/bin/x=1", "usr/bin/.wh.bin=")
	f.Add("x=1", "usr/bin/x/\nusr/bin/x=1", "usr=1\n.wh..wh.plnk=\n.wh.=")
	f.Fuzz(func(t *testing.T, bottom, middle, top string) {
		var layers []Layer
		var tree []string // of unpacked files, "PATH=CONTENT"
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
		err := copyFile(t.Context(), &b, "/usr/bin/x", 100, layers)
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

// unpack applies a layer to a tree. It reports whether the layer is not ambiguous:
// it has only regular files, directories and whiteouts, and no duplicates.
func unpack(tree []string, data []byte) ([]string, bool) {
	var removed, files []string
	seen := map[string]bool{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || strings.Contains(h.Name, "..") && !strings.Contains(h.Name, opaqueWhiteout) || strings.ContainsAny(h.Name, "\x00") {
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
		case base == opaqueWhiteout:
			removed = append(removed, dir)
		case strings.HasPrefix(base, whiteoutPrefix):
			if base == whiteoutPrefix || strings.HasPrefix(base, metadataPrefix) {
				return nil, false
			}
			removed = append(removed, dir+base[len(whiteoutPrefix):]+"/")
		case h.Typeflag == tar.TypeReg:
			files = append(files, name+"="+string(content))
			removed = append(removed, name+"/")
		default:
			removed = append(removed, name+"=") // a directory replaces a file
		}
	}
	for _, a := range files {
		name, _, _ := strings.Cut(a, "=")
		for other := range seen {
			if strings.HasPrefix(other, name+"/") {
				return nil, false // a file that is a parent
			}
		}
	}
	tree = slices.DeleteFunc(slices.Clone(tree), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.ContainsFunc(removed, func(r string) bool {
			return strings.HasPrefix(name+"/", r) || strings.HasPrefix(entry, r)
		})
	})
	// A file that becomes a parent would be removed. Extract refuses such layers.
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

// holds reports whether an entry whose name ends in "x" has the content.
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
