// Package ctxio cancels reads with a context.
package ctxio

import (
	"context"
	"io"
)

// NewReader returns a reader of r that fails once the context is done.
func NewReader(ctx context.Context, r io.Reader) io.Reader { return reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
