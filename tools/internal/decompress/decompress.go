// Package decompress reads compressed streams: it detects gzip, zstd, lz4 and xz by
// their first bytes. Bzip2 is only recognized.
package decompress

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"
)

// Format is a compression format.
type Format string

// Formats that are recognized.
const (
	None  Format = ""
	Gzip  Format = "gzip"
	Zstd  Format = "zstd"
	LZ4   Format = "lz4"
	XZ    Format = "xz"
	Bzip2 Format = "bzip2"
)

// magics has the first bytes of each format.
var magics = []struct {
	magic  string
	format Format
}{
	{"\x1f\x8b\x08", Gzip},
	{"\x28\xb5\x2f\xfd", Zstd},
	{"\x04\x22\x4d\x18", LZ4},
	{"\xfd7zXZ\x00", XZ},
	{"BZh", Bzip2},
}

// Detect returns the format of a stream by its first bytes, of which it needs 6.
func Detect(head []byte) Format {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format
		}
	}
	return None
}

// maxWindow is the maximum window of a zstd stream in bytes, the default of zstd.
const maxWindow = 8 << 20

// maxXZWindow is the maximum dictionary of an xz stream in bytes, that of xz -9.
const maxXZWindow = 64 << 20

// bufferSize is the size of the buffer before a decompressor.
const bufferSize = 64 << 10

// NewReader returns a reader of the decompressed bytes, and the format. A stream that
// is not compressed is returned as it is. It needs little memory, and reads no further
// ahead than its buffer.
func NewReader(r io.Reader) (io.ReadCloser, Format, error) {
	b := bufio.NewReaderSize(r, bufferSize)
	head, err := b.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, None, err
	}
	format := Detect(head)
	switch format {
	case None:
		return io.NopCloser(b), format, nil
	case Gzip:
		z, err := gzip.NewReader(b)
		return z, format, err
	case Zstd:
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, format, err
		}
		return z.IOReadCloser(), format, nil
	case LZ4:
		return io.NopCloser(lz4.NewReader(b)), format, nil
	case XZ:
		z, err := xz.NewReader(b, maxXZWindow)
		return io.NopCloser(z), format, err
	}
	return nil, format, fmt.Errorf("cannot read %s: unpack the file first", format)
}
