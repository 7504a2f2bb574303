// Package imagefile reads files from the layers of an image.
//
// It is strict: a layer that two readers could interpret differently is an
// error. Paths are those of the entries of a layer. Links are not followed; the
// error names their target.
package imagefile

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// MaxLayer is the maximum size of one layer in bytes, compressed or not.
const MaxLayer = 8 << 30

// Layer opens the tar of a layer. The context ends reads.
type Layer func(ctx context.Context) (io.ReadCloser, error)

// Output receives a file. Either Commit or Discard ends it.
type Output interface {
	io.Writer
	Commit() error
	Discard() error
}

// File is a file of an image. Done is called once, with a complete output or an
// error; it ends the output, and its error is that of the extraction.
type File struct {
	Path   string // absolute and clean
	Create func() (Output, error)
	Done   func(Output, error) error
}

// scan finds files in one layer. It reads the layer to its end: only there the
// registry library verifies the digest.
func scan(ctx context.Context, layer Layer, s *scanner) (err error) {
	r, err := layer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	limited := &limitedReader{ctx: ctx, r: r, left: MaxLayer}
	if err := s.tar(limited); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, limited)
	return err
}

// limitedReader is a reader that fails after a number of bytes, or when its
// context is done.
type limitedReader struct {
	ctx  context.Context
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fmt.Errorf("uncompressed layer has more than %d bytes", int64(MaxLayer))
	}
	return n, err
}
