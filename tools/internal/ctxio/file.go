package ctxio

import (
	"context"
	"fmt"
	"io"
	"os"
)

// Open opens a file for reading. Unlike with [os.Open], the end of the context
// interrupts opening and reading a FIFO or a terminal, and closes the file.
func Open(ctx context.Context, path string) (io.ReadCloser, error) {
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result, 1)
	// Opening a FIFO blocks until another process opens it for writing.
	go func() {
		f, err := os.Open(path)
		opened <- result{f, err}
	}()
	select {
	case <-ctx.Done():
		go func() {
			if r := <-opened; r.err == nil {
				r.file.Close()
			}
		}()
		return nil, fmt.Errorf("opening %q: %w", path, ctx.Err())
	case r := <-opened:
		if r.err != nil {
			return nil, r.err
		}
		return &file{reader{ctx, r.file}, r.file, context.AfterFunc(ctx, func() { r.file.Close() })}, nil
	}
}

type file struct {
	reader
	file *os.File
	stop func() bool
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.reader.Read(p)
	if err != nil && f.ctx.Err() != nil {
		err = f.ctx.Err()
	}
	return n, err
}

func (f *file) Close() error {
	f.stop()
	return f.file.Close()
}

// ReadFile reads a file of at most limit bytes; more are an error. The end of the
// context interrupts it as in [Open].
func ReadFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	f, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("reading %q: want at most %d bytes, got more", path, limit)
	}
	if err != nil {
		return nil, err
	}
	return raw, nil
}
