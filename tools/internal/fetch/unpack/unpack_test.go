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
	valid := []entry{{name: "./", kind: tar.TypeDir}, {name: "bin/", kind: tar.TypeDir}, {name: "bin/", kind: tar.TypeDir}, file("./bin/kubelet"), {name: "bin/k", link: "kubelet", kind: tar.TypeSymlink}, {name: "l", link: "bin/kubelet", kind: tar.TypeLink}}
	tests := map[string]struct {
		entries []entry
		raw     func([]byte) []byte // changes the tar
		packed  func([]byte) []byte // changes the compressed archive
		want    string              // error; "" for none
	}{
		"valid":                        {entries: valid},
		"no member":                    {entries: []entry{file("kubectl")}, want: `no entry "bin/kubelet" among 1 entries`},
		"member is a directory":        {entries: []entry{{name: "bin/kubelet/", kind: tar.TypeDir}}, want: `entry "bin/kubelet": want a regular file`},
		"member is a link":             {entries: []entry{file("k"), {name: "bin/kubelet", link: "../k", kind: tar.TypeSymlink}}, want: `entry "bin/kubelet": want a regular file`},
		"absolute":                     {entries: []entry{file("/bin/kubelet")}, want: `entry "/bin/kubelet": absolute path`},
		"parent directory":             {entries: []entry{file("../bin/kubelet")}, want: `path contains ".."`},
		"parent directory inside":      {entries: []entry{file("x/../bin/kubelet")}, want: `path contains ".."`},
		"absolute after the member":    {entries: append(valid[:4:4], file("/etc/passwd")), want: `entry "/etc/passwd": absolute path`},
		"parent directory, later":      {entries: append(valid[:4:4], file("../../x")), want: `path contains ".."`},
		"duplicate":                    {entries: append(valid[:4:4], file("bin/kubelet")), want: `duplicate entry "bin/kubelet"`},
		"duplicate, spelled otherwise": {entries: append(valid[:4:4], file("bin//kubelet")), want: `duplicate entry "bin//kubelet"`},
		"directory after a file":       {entries: append(valid[:4:4], entry{name: "bin/kubelet", kind: tar.TypeDir}), want: `duplicate entry`},
		"below a file":                 {entries: append(valid[:4:4], file("bin/kubelet/x")), want: `entry "bin/kubelet/x": "bin/kubelet" is not a directory`},
		"below a link":                 {entries: []entry{{name: "d", link: "bin", kind: tar.TypeSymlink}, file("d/kubelet"), file("bin/kubelet")}, want: `entry "d/kubelet": "d" is not a directory`},
		"link out":                     {entries: append(valid[:4:4], entry{name: "bin/x", link: "../../x", kind: tar.TypeSymlink}), want: `entry "bin/x": link target "../../x" is outside the archive`},
		"absolute link":                {entries: append(valid[:4:4], entry{name: "x", link: "/etc/passwd", kind: tar.TypeSymlink}), want: `link target "/etc/passwd" is outside the archive`},
		"hard link out":                {entries: append(valid[:4:4], entry{name: "x", link: "../x", kind: tar.TypeLink}), want: `link target "../x" is outside the archive`},
		"device":                       {entries: append(valid[:4:4], entry{name: "x", kind: tar.TypeBlock}), want: `entry "x": want a file, directory or link`},
		"pipe":                         {entries: append(valid[:4:4], entry{name: "x", kind: tar.TypeFifo}), want: `want a file, directory or link`},
		"bomb in the member":           {entries: []entry{{name: "bin/kubelet", content: strings.Repeat("\x00", 1<<20)}}, want: `uncompressed size is more than 1048576 bytes`},
		"bomb after the member":        {entries: append(valid[:4:4], entry{name: "x", content: strings.Repeat("\x00", 1<<20)}), want: `uncompressed size is more than 1048576 bytes`},
		"sparse":                       {entries: append(valid[:4:4], file("x")), raw: makeSparse, want: `entry "x": sparse file`},
		"many entries":                 {entries: append(valid[:4:4], many(30)...), want: `more than 20 entries`},
		"truncated tar":                {entries: valid, raw: func(b []byte) []byte { return b[:1800] }, want: `unexpected EOF`},
		"truncated stream":             {entries: valid, packed: func(b []byte) []byte { return b[:len(b)-9] }, want: `unexpected EOF`},
		"trailing data":                {entries: valid, raw: func(b []byte) []byte { return append(b, "x"...) }, want: `trailing data after the archive`},
		"second tar after the first":   {entries: valid, raw: func(b []byte) []byte { return append(b, b...) }, want: `trailing data after the archive`},
		"not compressed":               {entries: valid, packed: func(b []byte) []byte { return []byte("<html>nope") }, want: `neither gzip nor zstd: it begins with 3c 68 74 6d`},
		"empty":                        {packed: func([]byte) []byte { return nil }, want: `neither gzip nor zstd`},
	}
	for name, test := range tests {
		for format, pack := range map[string]func([]byte) []byte{"gzip": packGzip, "zstd": packZstd} {
			t.Run(name+" "+format, func(t *testing.T) {
				raw := packTar(t, test.entries)
				if test.raw != nil {
					raw = test.raw(raw)
				}
				packed := pack(raw)
				if test.packed != nil {
					packed = test.packed(packed)
				}
				r, err := Member(bytes.NewReader(packed), "bin/kubelet", limits)
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
				if err != nil || string(got) != "\x7fELF./bin/kubelet" {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
	}
}

// makeSparse turns the entry "x" into a GNU sparse file.
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

func packTar(t *testing.T, entries []entry) []byte {
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
		r, err := Member(bytes.NewReader(archive), "bin/kubelet", limits)
		if err != nil {
			return
		}
		if n, _ := io.Copy(io.Discard, r); n > limits.Bytes {
			t.Errorf("%d bytes came out", n)
		}
	})
}
