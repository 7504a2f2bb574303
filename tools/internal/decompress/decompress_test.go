package decompress

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const text = "the content of a file\n"

func compressed(t testing.TB, f Format) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	switch f {
	case Gzip:
		w = gzip.NewWriter(&b)
	case Zstd:
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	case LZ4:
		w = lz4.NewWriter(&b)
	case None:
		return []byte(text)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// xzStream is "hello\n", written by xz.
const xzStream = "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jMAQAFaGVsbG8KAAAApWCX8ZT2/eAAAR4GwS+kHR+2830BAAAAAARZWg=="

func TestNewReaderXZ(t *testing.T) {
	raw, err := base64.StdEncoding.DecodeString(xzStream)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(raw) + 1 {
		r, format, err := NewReader(bytes.NewReader(raw[:n]))
		var read []byte
		if err == nil {
			read, err = io.ReadAll(r)
		}
		if n == len(raw) && (err != nil || format != XZ || string(read) != "hello\n") {
			t.Errorf("got %s %q, %v", format, read, err)
		}
		if n >= 6 && n < len(raw) && err == nil {
			t.Errorf("no error for the first %d bytes", n)
		}
	}
}

func TestNewReader(t *testing.T) {
	for _, want := range []Format{None, Gzip, Zstd, LZ4} {
		content := compressed(t, want)
		r, got, err := NewReader(bytes.NewReader(content))
		if err != nil || got != want {
			t.Fatalf("%s: got %s, %v", want, got, err)
		}
		if read, err := io.ReadAll(r); err != nil || string(read) != text {
			t.Errorf("%s: got %q, %v", want, read, err)
		}
		if want == None {
			continue
		}
		if r, _, err = NewReader(bytes.NewReader(content[:len(content)-5])); err == nil {
			_, err = io.ReadAll(r)
		}
		if err == nil {
			t.Errorf("%s: no error for a truncated stream", want)
		}
	}
	for _, short := range []string{"", "a"} {
		r, f, err := NewReader(strings.NewReader(short))
		if err != nil || f != None {
			t.Fatalf("%q: got %s, %v", short, f, err)
		}
		if read, err := io.ReadAll(r); err != nil || string(read) != short {
			t.Errorf("%q: got %q, %v", short, read, err)
		}
	}
	for magic, want := range map[string]string{"\xfd7zXZ\x00": "xz: data is truncated or corrupt", "BZh9": "cannot read bzip2"} {
		if _, _, err := NewReader(strings.NewReader(magic)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", magic, err, want)
		}
	}
}
