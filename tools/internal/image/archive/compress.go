package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Compression is the compression of the archive as a whole. Layers have their own.
type Compression string

// Supported compressions.
const (
	None Compression = "none"
	Zstd Compression = "zstd"
	LZ4  Compression = "lz4"
)

// ParseCompression parses "none", "zstd" or "lz4".
func ParseCompression(s string) (Compression, error) {
	switch c := Compression(s); c {
	case None, Zstd, LZ4:
		return c, nil
	}
	return "", fmt.Errorf("want %s, %s or %s, got %q", None, Zstd, LZ4, s)
}

// compressor compresses a tar. Data written before a Flush can be decompressed without
// the data after it.
type compressor interface {
	io.WriteCloser
	Flush() error
}

func newCompressor(w io.Writer, c Compression) (compressor, error) {
	switch c {
	case None:
		return plain{w}, nil
	case Zstd:
		z := &zstdWriter{w: w}
		return z, z.open()
	case LZ4:
		z := lz4.NewWriter(w)
		// These options determine the bytes. More concurrency would not be faster
		// than the disk.
		err := z.Apply(lz4.BlockSizeOption(lz4.Block1Mb), lz4.ConcurrencyOption(1), lz4.ChecksumOption(true), lz4.CompressionLevelOption(lz4.Fast))
		return z, err
	}
	return nil, fmt.Errorf("writing archive: unknown compression %q", c)
}

type plain struct{ io.Writer }

func (plain) Flush() error { return nil }
func (plain) Close() error { return nil }

// zstdWriter compresses with the zstd compressor of layers. Flush starts a new
// compressor: concatenated zstd frames are a valid zstd stream.
type zstdWriter struct {
	w io.Writer
	io.WriteCloser
}

func (z *zstdWriter) open() (err error) {
	z.WriteCloser, err = layer.NewCompressor(z.w, versions.Zstd)
	return err
}

func (z *zstdWriter) Flush() error { return errors.Join(z.Close(), z.open()) }

// Magic numbers of compressed files.
var (
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	lz4Magic  = []byte{0x04, 0x22, 0x4d, 0x18}
)

// maxWindow is the maximum window of a zstd stream in bytes, the default of zstd.
const maxWindow = 8 << 20

// newDecompressor returns a reader of the tar that does not read ahead.
func newDecompressor(r io.Reader) (io.ReadCloser, error) {
	magic := make([]byte, 4)
	if _, err := io.ReadFull(r, magic); err != nil {
		return nil, err
	}
	r = io.MultiReader(bytes.NewReader(magic), r)
	switch {
	case bytes.Equal(magic, zstdMagic):
		// More concurrency would read ahead.
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case bytes.Equal(magic, lz4Magic):
		r = lz4.NewReader(r)
	}
	return io.NopCloser(r), nil
}
