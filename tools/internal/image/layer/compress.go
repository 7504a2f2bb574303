package layer

import (
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/versions"
	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/pgzip"
)

// What follows decides the bytes of every layer, and so every digest. It is
// for good, as are the versions of the compressors in go.mod. Neither the
// number of processors nor the size of the writes has an influence.
const (
	gzipLevel = 6
	gzipBlock = 1 << 20
	zstdLevel = zstd.SpeedDefault
	zstdFrame = 2 << 20
)

// workers is how many blocks are compressed at a time. It changes the time
// taken and bounds the memory, and does not change the bytes.
const workers = 4

// NewCompressor returns a writer that compresses to w as all layers are.
func NewCompressor(w io.Writer, c versions.Compression) (io.WriteCloser, error) {
	switch c {
	case versions.Gzip:
		z, err := pgzip.NewWriterLevel(w, gzipLevel)
		if err == nil {
			err = z.SetConcurrency(gzipBlock, workers)
		}
		return z, err
	case versions.Zstd:
		return newFrames(w)
	}
	return nil, fmt.Errorf("compressing a layer: unknown compression %q", c)
}

// frames writes zstd frames of a fixed size, several at a time. A stream of
// frames is a zstd stream: every reader joins them.
type frames struct {
	encoder *zstd.Encoder
	job     *job           // the frame that is being filled
	free    chan *job      // those that wait for use
	order   chan chan *job // compressed ones, in the order of the frames
	done    chan error     // the writer's end
	failed  chan struct{}  // closed at its first error
}

// job is one frame, before and after. Its buffers are used again and again.
type job struct{ plain, frame []byte }

func newFrames(w io.Writer) (*frames, error) {
	encoder, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstdLevel),
		zstd.WithEncoderConcurrency(workers),
		// No match reaches out of a frame: a larger window is only memory.
		zstd.WithWindowSize(zstdFrame),
		// The digest of the layer says more than a checksum.
		zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	f := &frames{
		encoder: encoder,
		free:    make(chan *job, workers),
		order:   make(chan chan *job, workers),
		done:    make(chan error, 1),
		failed:  make(chan struct{}),
	}
	for range workers {
		f.free <- &job{plain: make([]byte, 0, zstdFrame)}
	}
	go f.write(w)
	return f, nil
}

func (f *frames) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if f.job == nil {
			select {
			case f.job = <-f.free:
			case <-f.failed:
				return total - len(p), io.ErrClosedPipe // Close says why
			}
		}
		n := min(len(p), zstdFrame-len(f.job.plain))
		f.job.plain = append(f.job.plain, p[:n]...)
		p = p[n:]
		if len(f.job.plain) == zstdFrame {
			f.flush()
		}
	}
	return total, nil
}

// flush hands the filled frame to a goroutine of its own. There are never more
// of them than frames.
func (f *frames) flush() {
	result, j := make(chan *job, 1), f.job
	f.job = nil
	f.order <- result
	go func() {
		j.frame = f.encoder.EncodeAll(j.plain, j.frame[:0])
		result <- j
	}()
}

func (f *frames) write(w io.Writer) {
	var err error
	for result := range f.order {
		j := <-result
		if err == nil {
			if _, err = w.Write(j.frame); err != nil {
				close(f.failed)
			}
		}
		j.plain = j.plain[:0]
		f.free <- j
	}
	f.done <- err
}

func (f *frames) Close() error {
	if f.job != nil {
		f.flush()
	}
	close(f.order)
	return <-f.done
}
