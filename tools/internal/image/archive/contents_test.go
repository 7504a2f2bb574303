package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// ReadContents reads the first entry and nothing beyond, with every compression: it
// works with the bytes that it reads alone.
func TestReadContents(t *testing.T) {
	image := large(t, 9<<20)
	for _, c := range compressions {
		want, raw := pack(t, c, nil, image, writeIndex(t, tool))
		r := &counting{r: bytes.NewReader(raw)}
		got, err := ReadContents(r)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: got %+v, %v; want %+v", c, got, err, want)
		}
		plain := len(entries(t, bytes.NewReader(packPlain(t, image)))[0].content)
		switch {
		case c == None && r.n != 512+plain:
			t.Errorf("none: read %d bytes, want %d", r.n, 512+plain)
		case r.n > 512+plain:
			t.Errorf("%s: read %d bytes, more than the %d of the uncompressed contents", c, r.n, 512+plain)
		}
		t.Logf("%s: read %d bytes of %d", c, r.n, len(raw))
		if _, err := ReadContents(bytes.NewReader(raw[:r.n])); err != nil {
			t.Errorf("%s: with the first %d bytes: %v", c, r.n, err)
		}
		if _, err := ReadContents(bytes.NewReader(raw[:r.n/2])); err == nil {
			t.Errorf("%s: no error with the first %d bytes", c, r.n/2)
		}
	}
}

func packPlain(t *testing.T, image Image) []byte {
	t.Helper()
	_, raw := pack(t, None, nil, image, writeIndex(t, tool))
	return raw
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func tarOf(name string, typ byte, content string) []byte {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	h := &tar.Header{Typeflag: typ, Name: name, Mode: 0o644, Size: int64(len(content))}
	if typ != tar.TypeReg {
		h.Size, h.Linkname = 0, content
	}
	if err := t.WriteHeader(h); err != nil {
		panic(err)
	}
	if typ == tar.TypeReg {
		if _, err := io.WriteString(t, content); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func TestBadContents(t *testing.T) {
	_, raw := pack(t, None, nil, writeIndex(t, node))
	good := string(entries(t, bytes.NewReader(raw))[0].content)
	with := func(from, to string) []byte {
		changed := strings.Replace(good, from, to, 1)
		if changed == good {
			t.Fatalf("no %q in %s", from, good)
		}
		return tarOf(ContentsFile, tar.TypeReg, changed)
	}
	contents, err := ReadContents(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	digest := contents.Blobs[0].Digest.String()
	huge := tarOf(ContentsFile, tar.TypeReg, "{}")
	copy(huge[124:], "77777777777") // the field of the size
	copy(huge[148:], checksum(huge))
	tests := map[string]struct {
		raw  []byte
		want string
	}{
		"empty":              {nil, "EOF"},
		"short":              {[]byte("abc"), "EOF"},
		"text":               {bytes.Repeat([]byte("text "), 200), "not a tar"},
		"zeros":              {make([]byte, 4096), "not a tar"},
		"torn zstd":          {append(bytes.Clone(zstdMagic), 1, 2, 3), "not a tar"},
		"torn lz4":           {append(bytes.Clone(lz4Magic), 1, 2, 3), "not a tar"},
		"another file":       {tarOf("manifest.json", tar.TypeReg, "[]"), "not an archive of hk save"},
		"a link":             {tarOf(ContentsFile, tar.TypeSymlink, "/etc/passwd"), "not an archive of hk save"},
		"huge":               {huge, "want at most 8388608 bytes"},
		"torn":               {tarOf(ContentsFile, tar.TypeReg, good)[:700], "unexpected EOF"},
		"no JSON":            {tarOf(ContentsFile, tar.TypeReg, "[]"), "cannot unmarshal"},
		"newer":              {tarOf(ContentsFile, tar.TypeReg, `{"schema": 2, "images": 5}`), "want schema 1, got 2"},
		"nothing":            {tarOf(ContentsFile, tar.TypeReg, `{"schema": 1}`), "want at least one image"},
		"bad digest":         {with("sha256:", "sha256:../"), "not a sha256"},
		"bad name":           {with(node, `\u001b[2J`), "want a name like"},
		"bad platform":       {with(`"platform": "linux/amd64"`, `"platform": "\u001b[2J"`), "invalid platform"},
		"docker has none":    {with(`"docker": "linux/amd64"`, `"docker": "linux/arm"`), "docker: unknown platform"},
		"unknown blob":       {with(`"manifest": "sha256:`, `"manifest": "sha256:`+strings.Repeat("0", 64)+`","x":"`), "unknown blob"},
		"no digest":          {with(`"digest": "sha256:`, `"x": "sha256:`), "missing digest"},
		"negative blob size": {with(`"size": 646`, `"size": -646`), "blobs[0]"},
		"blob too large":     {with(`"size": 646`, `"size": 9223372036854775807`), "blobs[0]"},
		"blob in contents":   {with(`"offset": `, `"offset": 0, "x": `), "blobs[0]"},
		"duplicate blob":     {with(`"blobs": [`, `"blobs": [{"digest": "`+digest+`", "size": 0, "offset": 512},`), "duplicate digest"},
		"negative size":      {with(`"size": 23040`, `"size": -9223372036854775808`), "blobs[0]"},
		"blob past the end":  {with(`"offset": `, `"offset": 9223372036854775807, "x": `), "blobs[0]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := ReadContents(bytes.NewReader(test.raw))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %+v, %v; want %q", c, err, test.want)
			}
		})
	}
}

// checksum returns the checksum field of a tar header.
func checksum(header []byte) string {
	n := 0
	for i, c := range header[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		n += int(c)
	}
	return fmt.Sprintf("%06o\x00 ", n)
}

// Accepted contents are stable under encoding and parsing.
func FuzzReadContents(f *testing.F) {
	image := writeIndex(f, node)
	for _, c := range compressions {
		_, raw := pack(f, c, nil, image)
		f.Add(raw[:min(len(raw), 8<<10)])
	}
	f.Add(tarOf(ContentsFile, tar.TypeReg, `{"schema": 1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ReadContents(bytes.NewReader(raw))
		if err != nil {
			return
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseContents(written); err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("read %+v, wrote %s, read %+v, %v", c, written, again, err)
		}
	})
}
