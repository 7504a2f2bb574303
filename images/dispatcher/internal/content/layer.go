package content

import (
	"bufio"
	"context"
	"errors"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/readahead"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is the maximum memory that a layer compressed with zstd may require, in
// bytes.
const maxWindow = 128 << 20

// openLayer opens the tar of a layer. Receiving and hashing run in parallel with
// decompression. At the end of the layer its digest is verified.
func openLayer(ctx context.Context, layer v1.Layer) (io.ReadCloser, error) {
	body, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	compressed := readahead.New(contextReader{ctx, body})
	tar, err := decompress(compressed)
	if err != nil {
		return nil, errors.Join(err, compressed.Close())
	}
	return tar, nil
}

// decompress returns the content of a stream that is compressed with gzip, zstd or
// not at all. Closing it closes the stream.
func decompress(stream io.ReadCloser) (io.ReadCloser, error) {
	r := bufio.NewReaderSize(stream, 64<<10)
	head, err := r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case len(head) >= 2 && string(head[:2]) == "\x1f\x8b":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		// This takes several times as long as hashing and writing the content.
		// With zstd, which does not, another copy would cost more than it saves.
		return readahead.New(decompressed{z, stream.Close}), nil
	case string(head) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return decompressed{z, func() error { z.Close(); return stream.Close() }}, nil
	}
	return decompressed{r, stream.Close}, nil
}

// decompressed is the content of a compressed stream.
type decompressed struct {
	io.Reader
	close func() error
}

func (d decompressed) Close() error { return d.close() }
