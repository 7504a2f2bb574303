package content

import (
	"context"
	"fmt"
	"io"
	"os"
)

// copyFile copies a regular file: reading another kind of file may block.
func copyFile(ctx context.Context, w io.Writer, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%q is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(w, contextReader{ctx, f}, make([]byte, bufferSize))
	return err
}

// bufferSize is the size of a buffer to copy a file, in bytes.
const bufferSize = 256 << 10

// contextReader is a reader that fails once its context is done.
type contextReader struct {
	ctx context.Context
	io.ReadCloser
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.ReadCloser.Read(p)
}
