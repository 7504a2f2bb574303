package packagelayer

import (
	"bufio"
	"errors"
	"io"
	"os"
)

// content is that of a file, shared by hard links.
type content struct {
	r            io.ReaderAt // nil unless the layer needs it
	offset, size int64
}

func (c *content) reader() io.Reader { return io.NewSectionReader(c.r, c.offset, c.size) }

// spool is a temporary file with the contents of files. It has no name, so nothing is
// left behind.
type spool struct {
	f *os.File
	w *bufio.Writer
	n int64
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "hyperkube-layer-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spool{f: f, w: bufio.NewWriterSize(f, 256<<10)}, nil
}

func (s *spool) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.n += int64(n)
	return n, err
}
