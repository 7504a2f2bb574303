// Package imagefile reads one file from the layers of an image.
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
	"slices"
)

// MaxLayer is the maximum size of one layer in bytes, compressed or not.
const MaxLayer = 8 << 30

// Layer opens the tar of a layer.
type Layer func() (io.ReadCloser, error)

// Copy writes the file at path, which is absolute and clean, to w. Layers are
// in the order of the manifest, the lowest first. A file of more than limit
// bytes is an error. On error, a part of the file may have been written.
//
// Copy reads every layer to its end: only there the registry library verifies
// the digest.
func Copy(ctx context.Context, w io.Writer, path string, limit int64, layers []Layer) error {
	for i, layer := range slices.Backward(layers) {
		s := scanner{path: path, limit: limit, w: w}
		if err := read(ctx, layer, &s); err != nil {
			return fmt.Errorf("reading layer %d of %d: %w", i+1, len(layers), err)
		}
		if err := s.checkConflict(); err != nil {
			return fmt.Errorf("reading layer %d of %d: %w", i+1, len(layers), err)
		}
		switch {
		case s.found:
			return nil
		case s.removed != "":
			return fmt.Errorf("file %q not found in the image: layer %d of %d removes %q", path, i+1, len(layers), s.removed)
		}
	}
	return fmt.Errorf("file %q not found in the %d layers of the image", path, len(layers))
}

func read(ctx context.Context, layer Layer, s *scanner) (err error) {
	r, err := layer()
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
