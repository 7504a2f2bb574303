package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// Open returns the content of the pin's file and its size in bytes, and first
// brings the file into the store if it is missing. The last read fails if the
// bytes do not match the pin; the error describes them and says how to fix it.
func (f *Fetcher) Open(ctx context.Context, pin versions.Pin) (io.ReadCloser, int64, error) {
	if err := f.Ensure(ctx, pin); err != nil {
		return nil, 0, err
	}
	return f.open(pin.SHA256, func(m *store.MismatchError) error {
		return fmt.Errorf("reading %s from the store: %w", pin.FileKey, f.describeMismatch(pin, m, store.ReadHead(m.From), ""))
	})
}

// Path returns the path of the pin's file in the store, which it fetches if
// missing and verifies.
func (f *Fetcher) Path(ctx context.Context, pin versions.Pin) (string, error) {
	content, _, err := f.Open(ctx, pin)
	if err != nil {
		return "", err
	}
	defer content.Close()
	if _, err := io.Copy(io.Discard, content); err != nil {
		return "", err
	}
	return f.Store.Path(pin.SHA256), nil
}

// Copy writes the pin's file to a path. The copy shares no bytes with the store,
// so a later change of either does not affect the other.
func (f *Fetcher) Copy(ctx context.Context, pin versions.Pin, file string) error {
	content, _, err := f.Open(ctx, pin)
	if err != nil {
		return err
	}
	defer content.Close()
	return atomic.Write(file, filepath.Dir(file), 0o755, func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return err
	})
}

// open returns a file of the store. Describe, unless nil, describes bytes that do
// not match.
func (f *Fetcher) open(d versions.Digest, describe func(*store.MismatchError) error) (io.ReadCloser, int64, error) {
	content, size, err := f.Store.Open(d)
	if err != nil {
		return nil, 0, err
	}
	return &storedFile{content, describe}, size, nil
}

type storedFile struct {
	io.ReadCloser
	describe func(*store.MismatchError) error
}

func (s *storedFile) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	var mismatch *store.MismatchError
	if errors.As(err, &mismatch) {
		if s.describe != nil {
			err = s.describe(mismatch)
		}
		err = fmt.Errorf("%w\nFix: delete that file and run again", err)
	}
	return n, err
}
