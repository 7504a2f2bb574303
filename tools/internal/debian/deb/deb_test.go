package deb

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hyperkube/hyperkube/tools/internal/debian/debtest"
)

// list reads a package and describes its files.
func list(r io.Reader) (Package, []string, error) {
	d, err := NewReader(r)
	if err != nil {
		return Package{}, nil, err
	}
	defer d.Close()
	var files []string
	for {
		h, err := d.Next()
		if errors.Is(err, io.EOF) {
			return d.Package, files, nil
		}
		if err != nil {
			return d.Package, nil, err
		}
		content, err := io.ReadAll(d)
		if err != nil {
			return d.Package, nil, err
		}
		files = append(files, fmt.Sprintf("%c %04o %d:%d %s %s %q", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Name, h.Linkname, content))
	}
}

var small = debtest.Package{
	Name: "small", Fields: "Multi-Arch: same\n", Conffiles: "/etc/small\n",
	Files: []debtest.Entry{
		debtest.Dir("./"), debtest.Dir("./etc/"), debtest.File("./etc/small", "a=b\n"),
		debtest.Dir("./usr/"),
		{Name: "./usr/su", Content: "x", Mode: 0o4755, UID: 0, GID: 42},
		{Name: "./usr/hard", Link: "./usr/su", Type: tar.TypeLink},
		debtest.Symlink("./usr/soft", "../usr/su"),
	},
}

func TestReader(t *testing.T) {
	for _, compression := range []string{"", ".gz", ".zst", ".xz"} {
		t.Run(compression, func(t *testing.T) {
			raw := small.Build(t, compression)
			if compression == ".xz" {
				var err error
				if raw, err = os.ReadFile("testdata/small.deb"); err != nil {
					t.Fatal(err)
				}
			}
			p, files, err := list(iotest.HalfReader(bytes.NewReader(raw)))
			if err != nil {
				t.Fatal(err)
			}
			if p.Control.Field("package") != "small" || p.Control.Field("Multi-Arch") != "same" || p.Conffiles != "/etc/small\n" ||
				!strings.Contains(p.MD5Sums, "  usr/su\n") || !strings.HasSuffix(p.Control.Text, "\n of small\n") {
				t.Errorf("got %+v", p)
			}
			want := `5 0755 0:0 /  ""
5 0755 0:0 /etc  ""
0 0644 0:0 /etc/small  "a=b\n"
5 0755 0:0 /usr  ""
0 4755 0:42 /usr/su  "x"
1 0644 0:0 /usr/hard /usr/su ""
2 0644 0:0 /usr/soft ../usr/su ""`
			if got := strings.Join(files, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestReaderFails(t *testing.T) {
	valid := small.Build(t, "")
	binary := debtest.Member{Name: "debian-binary", Content: []byte("2.0\n")}
	control := debtest.Member{Name: "control.tar", Content: debtest.Tar(t, debtest.File("control", "Package: a\n"))}
	files := func(entries ...debtest.Entry) []byte {
		return debtest.Ar(binary, control, debtest.Member{Name: "data.tar", Content: debtest.Tar(t, entries...)})
	}
	withControl := func(text string) []byte {
		return debtest.Ar(binary, debtest.Member{Name: "control.tar", Content: debtest.Tar(t, debtest.File("control", text))}, debtest.Member{Name: "data.tar"})
	}
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"empty":            {nil, "not an ar archive"},
		"HTML":             {[]byte("<html><body></body></html>"), `not an ar archive: it begins with "<html><b"`},
		"incomplete":       {valid[:len(valid)-700], "unexpected EOF"},
		"incomplete end":   {valid[:len(valid)-1], "unexpected EOF"},
		"no member":        {debtest.Ar(), "want member debian-binary, got none"},
		"format 3":         {debtest.Ar(debtest.Member{Name: "debian-binary", Content: []byte("3.0\n")}), "want a Debian package of format 2"},
		"other member":     {debtest.Ar(binary, debtest.Member{Name: "data.tar"}), `want member control.tar, got "data.tar"`},
		"no data":          {debtest.Ar(binary, control), "want member data.tar, got none"},
		"bzip2":            {debtest.Ar(binary, control, debtest.Member{Name: "data.tar.bz2"}), `data.tar.bz2: want the compression of its name, gz, xz or zst, got ""`},
		"one more":         {append(bytes.Clone(valid), debtest.Ar(debtest.Member{Name: "more"})[8:]...), `unexpected member "more"`},
		"trailing data":    {append(bytes.Clone(valid), 'x'), "incomplete header"},
		"negative size":    {bytes.Replace(valid, []byte("4         `"), []byte("-4        `"), 1), `invalid header of member "debian-binary"`},
		"data after tar":   {debtest.Ar(binary, control, debtest.Member{Name: "data.tar", Content: append(debtest.Tar(t), 'x')}), "trailing data after the tar archive"},
		"no control":       {debtest.Ar(binary, debtest.Member{Name: "control.tar", Content: debtest.Tar(t)}), `file "control": line 1: want a field`},
		"two paragraphs":   {withControl("Package: a\n\nPackage: b\n"), `line 2: want a field, got ""`},
		"duplicate field":  {withControl("Package: a\nPACKAGE: b\n"), "line 2: duplicate field PACKAGE"},
		"field Status":     {withControl("Package: a\nstatus: b\n"), "field status is dpkg's own"},
		"absolute":         {files(debtest.File("/etc/a", "")), `entry "/etc/a": absolute path`},
		"parent":           {files(debtest.File("./etc/../a", "")), `path contains ".."`},
		"duplicate":        {files(debtest.File("./a", ""), debtest.File("a", "")), "duplicate entry"},
		"below a file":     {files(debtest.File("./a", ""), debtest.File("./a/b", "")), `"/a" is not a directory`},
		"below a symlink":  {files(debtest.Symlink("./a", "/etc"), debtest.File("./a/b", "")), `"/a" is not a directory`},
		"device":           {files(debtest.Entry{Name: "./dev/null", Type: tar.TypeChar}), "want a file, directory or link, got type '3'"},
		"hard link to dir": {files(debtest.Dir("./a"), debtest.Entry{Name: "./b", Link: "./a", Type: tar.TypeLink}), "want an earlier regular file"},
		"hard link up":     {files(debtest.Entry{Name: "./b", Link: "../a", Type: tar.TypeLink}), `target: path contains ".."`},
		"empty target":     {files(debtest.Symlink("./b", "")), "invalid target"},
	} {
		t.Run(name, func(t *testing.T) {
			_, files, err := list(bytes.NewReader(test.raw))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, %v; want %s", files, err, test.want)
			}
		})
	}
}

// Members of odd size are followed by padding.
func TestReaderPadding(t *testing.T) {
	raw := debtest.Ar(
		debtest.Member{Name: "debian-binary", Content: []byte("2.0\n\n")},
		debtest.Member{Name: "control.tar/", Content: debtest.Tar(t, debtest.File("control", "Package: a\n"))},
		debtest.Member{Name: "data.tar", Content: append(debtest.Tar(t), 0)})
	if _, _, err := list(bytes.NewReader(raw)); err != nil {
		t.Error(err)
	}
}

// The bounds of uncompressed bytes hold for small compressed members.
func TestReaderBounds(t *testing.T) {
	bomb := debtest.Compress(t, ".gz", debtest.Tar(t, debtest.File("control", strings.Repeat("\n", maxControl))))
	raw := debtest.Ar(debtest.Member{Name: "debian-binary", Content: []byte("2.0\n")}, debtest.Member{Name: "control.tar.gz", Content: bomb})
	if _, err := NewReader(bytes.NewReader(raw)); err == nil || !strings.Contains(err.Error(), "uncompressed size is more than 16777216 bytes") {
		t.Errorf("got %v", err)
	}
}

func FuzzReader(f *testing.F) {
	for _, compression := range []string{"", ".gz", ".zst"} {
		f.Add(small.Build(f, compression))
	}
	raw, err := os.ReadFile("testdata/small.deb")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 1<<20 {
			return
		}
		d, err := NewReader(bytes.NewReader(raw))
		if err != nil {
			return
		}
		defer d.Close()
		for {
			h, err := d.Next()
			if err != nil {
				return
			}
			if !strings.HasPrefix(h.Name, "/") || strings.Contains(h.Name+"/", "/../") {
				t.Errorf("entry %q", h.Name)
			}
			if _, err := io.CopyN(io.Discard, d, 1<<20); err != nil && !errors.Is(err, io.EOF) {
				return
			}
		}
	})
}
