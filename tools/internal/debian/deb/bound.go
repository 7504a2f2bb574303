package deb

import (
	"fmt"
	"io"
)

// boundedReader is io.LimitReader with an error in place of io.EOF at the limit.
type boundedReader struct {
	r           io.Reader
	left, limit int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		n, err := b.r.Read(p[:min(1, len(p))])
		if n > 0 {
			return 0, fmt.Errorf("uncompressed size is more than %d bytes", b.limit)
		}
		return 0, err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
