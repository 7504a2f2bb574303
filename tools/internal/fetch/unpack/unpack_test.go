package unpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

var limits = Limits{Bytes: 1 << 20, Entries: 20}

type entry struct {
	name, link, content string
	kind                byte
}

func file(name string) entry { return entry{name: name, content: "\x7fELF" + name} }

func TestMember(t *testing.T) {
	honest := []entry{{name: "./", kind: tar.TypeDir}, {name: "bin/", kind: tar.TypeDir}, {name: "bin/", kind: tar.TypeDir}, file("./bin/kubelet"), {name: "bin/k", link: "kubelet", kind: tar.TypeSymlink}, {name: "l", link: "bin/kubelet", kind: tar.TypeLink}}
	tests := map[string]struct {
		entries []entry
		raw     func([]byte) []byte // what happens to the tar
		packed  func([]byte) []byte // and to the archive
		want    string              // error; "" for none
	}{
		"honest":                     {entries: honest},
		"no member":                  {entries: []entry{file("kubectl")}, want: `there is no "bin/kubelet" among its 1 entries`},
		"member is a folder":         {entries: []entry{{name: "bin/kubelet/", kind: tar.TypeDir}}, want: `"bin/kubelet" is not a regular file there`},
		"member is a link":           {entries: []entry{file("k"), {name: "bin/kubelet", link: "../k", kind: tar.TypeSymlink}}, want: `"bin/kubelet" is not a regular file there`},
		"absolute":                   {entries: []entry{file("/bin/kubelet")}, want: `"/bin/kubelet" is an absolute path`},
		"climbing":                   {entries: []entry{file("../bin/kubelet")}, want: `climbs out of its folder`},
		"climbing and coming back":   {entries: []entry{file("x/../bin/kubelet")}, want: `climbs out of its folder`},
		"absolute after the member":  {entries: append(honest[:4:4], file("/etc/passwd")), want: `"/etc/passwd" is an absolute path`},
		"climbing after the member":  {entries: append(honest[:4:4], file("../../x")), want: `climbs out of its folder`},
		"twice":                      {entries: append(honest[:4:4], file("bin/kubelet")), want: `"bin/kubelet" stands in it twice`},
		"twice, spelled otherwise":   {entries: append(honest[:4:4], file("bin//kubelet")), want: `"bin//kubelet" stands in it twice`},
		"a folder over the member":   {entries: append(honest[:4:4], entry{name: "bin/kubelet", kind: tar.TypeDir}), want: `stands in it twice`},
		"below a file":               {entries: append(honest[:4:4], file("bin/kubelet/x")), want: `lies below "bin/kubelet", which is no folder`},
		"below a link":               {entries: []entry{{name: "d", link: "bin", kind: tar.TypeSymlink}, file("d/kubelet"), file("bin/kubelet")}, want: `"d/kubelet" lies below "d", which is no folder`},
		"link out":                   {entries: append(honest[:4:4], entry{name: "bin/x", link: "../../x", kind: tar.TypeSymlink}), want: `"bin/x" is a link out of the archive, to "../../x"`},
		"absolute link":              {entries: append(honest[:4:4], entry{name: "x", link: "/etc/passwd", kind: tar.TypeSymlink}), want: `is a link out of the archive, to "/etc/passwd"`},
		"hard link out":              {entries: append(honest[:4:4], entry{name: "x", link: "../x", kind: tar.TypeLink}), want: `is a link out of the archive, to "../x"`},
		"device":                     {entries: append(honest[:4:4], entry{name: "x", kind: tar.TypeBlock}), want: `"x" is neither file, folder nor link`},
		"pipe":                       {entries: append(honest[:4:4], entry{name: "x", kind: tar.TypeFifo}), want: `is neither file, folder nor link`},
		"bomb in the member":         {entries: []entry{{name: "bin/kubelet", content: strings.Repeat("\x00", 1<<20)}}, want: `it unpacks to more than the 1048576 bytes allowed`},
		"bomb after the member":      {entries: append(honest[:4:4], entry{name: "x", content: strings.Repeat("\x00", 1<<20)}), want: `it unpacks to more than the 1048576 bytes allowed`},
		"sparse":                     {entries: append(honest[:4:4], file("x")), raw: makeSparse, want: `"x" is a sparse file`},
		"many entries":               {entries: append(honest[:4:4], many(30)...), want: `it has more than the 20 entries allowed`},
		"cut tar":                    {entries: honest, raw: func(b []byte) []byte { return b[:1800] }, want: `unexpected EOF`},
		"cut stream":                 {entries: honest, packed: func(b []byte) []byte { return b[:len(b)-9] }, want: `unexpected EOF`},
		"something after the end":    {entries: honest, raw: func(b []byte) []byte { return append(b, "x"...) }, want: `something follows after the archive's end`},
		"second tar after the first": {entries: honest, raw: func(b []byte) []byte { return append(b, b...) }, want: `something follows after the archive's end`},
		"not compressed":             {entries: honest, packed: func(b []byte) []byte { return []byte("<html>nope") }, want: `it begins with 3c 68 74 6d, which is neither gzip nor zstd`},
		"empty":                      {packed: func([]byte) []byte { return nil }, want: `neither gzip nor zstd`},
	}
	for name, test := range tests {
		for format, pack := range map[string]func([]byte) []byte{"gzip": packGzip, "zstd": packZstd} {
			t.Run(name+" "+format, func(t *testing.T) {
				raw := pack0(t, test.entries)
				if test.raw != nil {
					raw = test.raw(raw)
				}
				packed := pack(raw)
				if test.packed != nil {
					packed = test.packed(packed)
				}
				r, size, err := Member(bytes.NewReader(packed), "bin/kubelet", limits)
				var got []byte
				if err == nil {
					got, err = io.ReadAll(r)
				}
				if test.want != "" {
					if err == nil || !strings.Contains(err.Error(), test.want) {
						t.Errorf("got %v, want %s", err, test.want)
					}
					return
				}
				if err != nil || string(got) != "\x7fELF./bin/kubelet" || size != int64(len(got)) {
					t.Errorf("got %q, size %d, %v", got, size, err)
				}
			})
		}
	}
}

// makeSparse turns the entry "x" into one of GNU's sparse files.
func makeSparse(raw []byte) []byte {
	for at := 0; at+512 <= len(raw); at += 512 {
		if block := raw[at : at+512]; bytes.HasPrefix(block, []byte("x\x00")) {
			block[156] = tar.TypeGNUSparse
			copy(block[257:], "ustar  \x00")
			clear(block[345:])
			copy(block[148:156], "        ")
			sum := 0
			for _, b := range block {
				sum += int(b)
			}
			copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
		}
	}
	return raw
}

func many(n int) []entry {
	var entries []entry
	for i := range n {
		entries = append(entries, file(strings.Repeat("f", i+1)))
	}
	return entries
}

func pack0(t *testing.T, entries []entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Size: int64(len(e.content)), Mode: 0o755}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packGzip(raw []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(raw)
	w.Close()
	return b.Bytes()
}

func packZstd(raw []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(raw, nil)
}

func FuzzMember(f *testing.F) {
	f.Add(packGzip([]byte("x")))
	f.Add(packZstd(make([]byte, 1024)))
	f.Fuzz(func(t *testing.T, archive []byte) {
		r, _, err := Member(bytes.NewReader(archive), "bin/kubelet", limits)
		if err != nil {
			return
		}
		if n, _ := io.Copy(io.Discard, r); n > limits.Bytes {
			t.Errorf("%d bytes came out", n)
		}
	})
}
