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

// Compression is how the whole tar is compressed. Layers are by themselves.
type Compression string

// The compressions that there are.
const (
	None Compression = "none"
	Zstd Compression = "zstd"
	LZ4  Compression = "lz4"
)

// ParseCompression reads "none", "zstd" or "lz4".
func ParseCompression(s string) (Compression, error) {
	switch c := Compression(s); c {
	case None, Zstd, LZ4:
		return c, nil
	}
	return "", fmt.Errorf("%q is none of %s, %s, %s", s, None, Zstd, LZ4)
}

// compressor is where a tar is written to. What comes before a Flush can be
// read without what comes after it.
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
		// These decide the bytes. Several blocks at a time would be no faster
		// than the disk is.
		err := z.Apply(lz4.BlockSizeOption(lz4.Block1Mb), lz4.ConcurrencyOption(1), lz4.ChecksumOption(true), lz4.CompressionLevelOption(lz4.Fast))
		return z, err
	}
	return nil, fmt.Errorf("writing an archive: unknown compression %q", c)
}

type plain struct{ io.Writer }

func (plain) Flush() error { return nil }
func (plain) Close() error { return nil }

// zstdWriter writes the frames of layers. A stream of frames is a zstd stream,
// so the end of one writer and the beginning of the next leave no trace but a
// shorter frame.
type zstdWriter struct {
	w io.Writer
	io.WriteCloser
}

func (z *zstdWriter) open() (err error) {
	z.WriteCloser, err = layer.NewCompressor(z.w, versions.Zstd)
	return err
}

func (z *zstdWriter) Flush() error { return errors.Join(z.Close(), z.open()) }

// What files begin with.
var (
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	lz4Magic  = []byte{0x04, 0x22, 0x4d, 0x18}
)

// maxWindow is what a zstd stream may ask for, in bytes: zstd's own default.
const maxWindow = 8 << 20

// decompressor returns a reader of the tar. It reads no more than is needed for
// what is asked of it.
func decompressor(r io.Reader) (io.Reader, func(), error) {
	magic := make([]byte, 4)
	if _, err := io.ReadFull(r, magic); err != nil {
		return nil, nil, err
	}
	r = io.MultiReader(bytes.NewReader(magic), r)
	switch {
	case bytes.Equal(magic, zstdMagic):
		// More than one at a time would read ahead.
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case bytes.Equal(magic, lz4Magic):
		return lz4.NewReader(r), func() {}, nil
	}
	return r, func() {}, nil
}
