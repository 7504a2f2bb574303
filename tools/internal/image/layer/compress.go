package layer

import (
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/versions"
	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/pgzip"
)

// These parameters, and the versions of the compressors in go.mod, determine the
// bytes of every layer and so every digest. They must never change. The number of
// processors and the size of writes do not affect the bytes.
const (
	gzipLevel = 6
	gzipBlock = 1 << 20 // bytes
	zstdLevel = zstd.SpeedDefault
	zstdFrame = 2 << 20 // bytes
)

// workers is the number of blocks compressed concurrently. It bounds the memory and
// does not affect the bytes.
const workers = 4

// NewCompressor returns a writer that compresses layers to w.
func NewCompressor(w io.Writer, c versions.Compression) (io.WriteCloser, error) {
	switch c {
	case versions.Gzip:
		z, err := pgzip.NewWriterLevel(w, gzipLevel)
		if err == nil {
			err = z.SetConcurrency(gzipBlock, workers)
		}
		return z, err
	case versions.Zstd:
		return newZstdWriter(w)
	}
	return nil, fmt.Errorf("compressing layer: unknown compression %q", c)
}

// zstdWriter compresses frames of a fixed size concurrently. Concatenated zstd frames
// are a valid zstd stream.
type zstdWriter struct {
	encoder *zstd.Encoder
	current *frame           // the frame being filled
	free    chan *frame      // frames to reuse
	pending chan chan *frame // compressed frames in stream order
	done    chan error       // result of writeFrames
	failed  chan struct{}    // closed at the first write error
}

// frame has the content of a frame before and after compression.
type frame struct{ plain, compressed []byte }

func newZstdWriter(w io.Writer) (*zstdWriter, error) {
	encoder, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstdLevel),
		zstd.WithEncoderConcurrency(workers),
		// A match never crosses frames: a larger window would waste memory.
		zstd.WithWindowSize(zstdFrame),
		// The layer's digest makes a checksum redundant.
		zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	z := &zstdWriter{
		encoder: encoder,
		free:    make(chan *frame, workers),
		pending: make(chan chan *frame, workers),
		done:    make(chan error, 1),
		failed:  make(chan struct{}),
	}
	for range workers {
		z.free <- &frame{plain: make([]byte, 0, zstdFrame)}
	}
	go z.writeFrames(w)
	return z, nil
}

func (z *zstdWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if z.current == nil {
			select {
			case z.current = <-z.free:
			case <-z.failed:
				return total - len(p), io.ErrClosedPipe // Close returns the cause
			}
		}
		n := min(len(p), zstdFrame-len(z.current.plain))
		z.current.plain = append(z.current.plain, p[:n]...)
		p = p[n:]
		if len(z.current.plain) == zstdFrame {
			z.compress()
		}
	}
	return total, nil
}

// compress starts the compression of the current frame. The number of frames bounds
// the number of goroutines.
func (z *zstdWriter) compress() {
	result, f := make(chan *frame, 1), z.current
	z.current = nil
	z.pending <- result
	go func() {
		f.compressed = z.encoder.EncodeAll(f.plain, f.compressed[:0])
		result <- f
	}()
}

func (z *zstdWriter) writeFrames(w io.Writer) {
	var err error
	for result := range z.pending {
		f := <-result
		if err == nil {
			if _, err = w.Write(f.compressed); err != nil {
				close(z.failed)
			}
		}
		f.plain = f.plain[:0]
		z.free <- f
	}
	z.done <- err
}

func (z *zstdWriter) Close() error {
	if z.current != nil {
		z.compress()
	}
	close(z.pending)
	return <-z.done
}
