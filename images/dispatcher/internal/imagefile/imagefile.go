// Package imagefile reads one file out of the layers of an image.
//
// It reads strictly: what a runtime would resolve, or what two readers could
// take for different things, is an error, and not a guess. Paths are those that
// the layers write; links are not followed, but named.
package imagefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// MaxLayer bounds the bytes of one layer, compressed or not.
const MaxLayer = 8 << 30

// Layer opens the tar of a layer.
type Layer func() (io.ReadCloser, error)

// Copy writes the file at path, which is absolute and clean, to w. Layers are
// in the order of the manifest, the lowest first. A file of more than limit
// bytes is an error. On error, some of a file may have been written.
//
// Every layer is read to its end, so that the hash that the registry's library
// has of it gets compared.
func Copy(ctx context.Context, w io.Writer, path string, limit int64, layers []Layer) error {
	for i, layer := range slices.Backward(layers) {
		s := scan{path: path, limit: limit, w: w}
		if err := read(ctx, layer, &s); err != nil {
			return fmt.Errorf("reading layer %d of %d: %w", i+1, len(layers), err)
		}
		if err := s.verdict(); err != nil {
			return fmt.Errorf("reading layer %d of %d: %w", i+1, len(layers), err)
		}
		switch {
		case s.found:
			return nil
		case s.hidden != "":
			return fmt.Errorf("the image has no file %q: layer %d of %d removes %q", path, i+1, len(layers), s.hidden)
		}
	}
	return fmt.Errorf("the image has no file %q in its %d layers", path, len(layers))
}

func read(ctx context.Context, layer Layer, s *scan) (err error) {
	r, err := layer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	bounded := &bounded{ctx: ctx, r: r, left: MaxLayer}
	if err := s.tar(bounded); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, bounded)
	return err
}

// bounded is a reader that fails where a layer is larger than any is.
type bounded struct {
	ctx  context.Context
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("it unpacks to more than %d bytes", int64(MaxLayer))
	}
	return n, err
}
