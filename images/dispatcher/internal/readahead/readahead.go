// Package readahead reads in another goroutine, so that the stages of a pipeline
// run in parallel.
package readahead

import (
	"io"
	"sync"
)

// Sizes of the buffers of a reader.
const (
	chunkSize = 128 << 10
	chunks    = 4
)

type chunk struct {
	data []byte
	err  error
}

// reader reads chunks that its goroutine has read ahead.
type reader struct {
	full  chan chunk
	empty chan []byte
	stop  chan struct{}
	once  sync.Once
	now   chunk
	used  int // bytes of now
}

// New returns a reader of r. Closing it does not wait for a read of r: r is closed
// when that has returned.
func New(r io.ReadCloser) io.ReadCloser {
	a := &reader{full: make(chan chunk, chunks), empty: make(chan []byte, chunks), stop: make(chan struct{})}
	for range chunks {
		a.empty <- nil // allocated when needed
	}
	go a.fill(r)
	return a
}

func (a *reader) fill(r io.ReadCloser) {
	defer r.Close()
	defer close(a.full)
	for {
		var buf []byte
		select {
		case buf = <-a.empty:
		case <-a.stop:
			return
		}
		if buf == nil {
			buf = make([]byte, chunkSize)
		}
		c := chunk{data: buf[:0]}
		for len(c.data) < chunkSize && c.err == nil {
			var n int
			n, c.err = r.Read(buf[len(c.data):chunkSize])
			c.data = buf[:len(c.data)+n]
		}
		a.full <- c
		if c.err != nil {
			return
		}
	}
}

func (a *reader) Read(p []byte) (int, error) {
	for a.used == len(a.now.data) {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.data != nil {
			a.empty <- a.now.data
		}
		var ok bool
		if a.now, ok = <-a.full; !ok {
			return 0, io.ErrClosedPipe
		}
		a.used = 0
	}
	n := copy(p, a.now.data[a.used:])
	a.used += n
	return n, nil
}

func (a *reader) Close() error {
	a.once.Do(func() { close(a.stop) })
	return nil
}
