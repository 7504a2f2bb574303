package readahead

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"
)

// closer is a reader that reports when it was closed.
type closer struct {
	io.Reader
	closed chan struct{}
}

func (c closer) Close() error {
	close(c.closed)
	return nil
}

func newCloser(r io.Reader) closer { return closer{r, make(chan struct{})} }

func (c closer) wait(t *testing.T) {
	t.Helper()
	select {
	case <-c.closed:
	case <-time.After(10 * time.Second):
		t.Error("reader was not closed")
	}
}

func TestReader(t *testing.T) {
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunks*chunkSize + 7} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		for name, r := range map[string]io.Reader{
			"plain": bytes.NewReader(data), "half": iotest.HalfReader(bytes.NewReader(data)), "data with EOF": iotest.DataErrReader(bytes.NewReader(data)),
		} {
			in := newCloser(r)
			a := New(in)
			got, err := io.ReadAll(a)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s, %d bytes: got %d bytes, %v", name, size, len(got), err)
			}
			if n, err := a.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("%s, %d bytes: after the end got %d, %v", name, size, n, err)
			}
			if err := errors.Join(a.Close(), a.Close()); err != nil {
				t.Error(err)
			}
			in.wait(t)
		}
	}
}

// An error comes after the bytes before it, and unchanged.
func TestReaderError(t *testing.T) {
	for _, want := range []error{errors.New("broken"), io.ErrUnexpectedEOF} {
		a := New(newCloser(io.MultiReader(bytes.NewReader(make([]byte, chunkSize+5)), iotest.ErrReader(want))))
		got, err := io.ReadAll(a)
		if len(got) != chunkSize+5 || err != want {
			t.Errorf("got %d bytes, %v; want %d, %v", len(got), err, chunkSize+5, want)
		}
	}
}

// Closing an unread reader ends the goroutine, and does not wait for a read.
func TestCloseEarly(t *testing.T) {
	endless := newCloser(zeros{})
	a := New(endless)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	endless.wait(t)
	r, w := io.Pipe()
	blocked := newCloser(r)
	a = New(blocked)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	blocked.wait(t)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
