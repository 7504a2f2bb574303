package content

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestDecompress(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := io.WriteString(z, "x"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	// A frame of zstd with a window of 2 to the power of log bytes and the content "x".
	frame := func(log byte) string {
		return "\x28\xb5\x2f\xfd\x00" + string([]byte{(log - 10) << 3}) + "\x09\x00\x00x"
	}
	for _, c := range []struct{ name, stream, want string }{
		{"plain", "x", "x"},
		{"empty", "", ""},
		{"gzip", zipped.String(), "x"},
		{"zstd", frame(27), "x"},
		{"zstd with a large window", frame(28), "error: window size exceeded"},
		{"truncated zstd", frame(20)[:8], "error: unexpected EOF"},
		{"truncated gzip", zipped.String()[:15], "error: unexpected EOF"},
		{"no gzip", "\x1f\x8bx", "error: unexpected EOF"},
	} {
		var got []byte
		r, err := decompress(io.NopCloser(strings.NewReader(c.stream)))
		if err == nil {
			got, err = io.ReadAll(r)
		}
		if want, isError := strings.CutPrefix(c.want, "error: "); isError {
			wantError(t, err, want)
		} else if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}
