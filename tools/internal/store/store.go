// Package store keeps files by the sha256 of their bytes, so that what was
// fetched or rebuilt once is never fetched or rebuilt again. A file is at
// sha256/HEX below the store's folder; it is there whole or not at all.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/versions"
)

// Store is a folder of files by digest. Several processes may use one at once.
type Store struct{ dir string }

// New returns the store in dir, which comes into being with its first file.
func New(dir string) Store { return Store{dir} }

// Path returns where the file of a digest is, or would be.
func (s Store) Path(d versions.Digest) string {
	return filepath.Join(s.dir, "sha256", d.String())
}

// Has says whether there is a file of that digest. Its bytes are checked by
// whoever reads them, not here.
func (s Store) Has(d versions.Digest) (bool, error) {
	info, err := os.Stat(s.Path(d))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking into the store: %w", err)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("looking into the store: %q is not a regular file", s.Path(d))
	}
	return true, nil
}

// Open opens the file of a digest and tells its size. The last read fails with
// a [MismatchError] where the bytes are not those of the digest.
func (s Store) Open(d versions.Digest) (io.ReadCloser, int64, error) {
	f, err := os.Open(s.Path(d))
	if err != nil {
		return nil, 0, fmt.Errorf("opening a file of the store: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("opening a file of the store: %w", err), f.Close())
	}
	return &file{NewVerifier(f, f.Name(), d, 0), f}, info.Size(), nil
}

type file struct {
	io.Reader
	io.Closer
}

// Verify reads the file of a digest and returns a [MismatchError] where its
// bytes are others.
func (s Store) Verify(d versions.Digest) error {
	f, _, err := s.Open(d)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

// Put reads r to its end and keeps the bytes if they have the digest; from
// names where they come from, in errors. A size that is not 0 is the most that
// is read. Bytes that do not match are not kept; what a kill leaves half-written
// lies apart, in tmp, and goes with a later Put.
func (s Store) Put(ctx context.Context, d versions.Digest, size int64, from string, r io.Reader) error {
	dir := filepath.Dir(s.Path(d))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the store: %w", err)
	}
	half := filepath.Join(s.dir, "tmp")
	if err := os.MkdirAll(half, 0o755); err != nil {
		return fmt.Errorf("making the store: %w", err)
	}
	if err := sweep(half); err != nil {
		return fmt.Errorf("sweeping the store: %w", err)
	}
	return atomic.Write(s.Path(d), half, 0o644, func(w io.Writer) error {
		_, err := io.Copy(w, NewVerifier(contextReader{ctx, r}, from, d, size))
		var mismatch *MismatchError
		if err != nil && !errors.As(err, &mismatch) {
			err = fmt.Errorf("putting %q into the store: %w", from, err)
		}
		return err
	})
}

// abandoned is how long nobody has written to a file that nobody writes any
// more. Whoever reads a network gives up long before.
const abandoned = 24 * time.Hour

// sweep removes the half-written files of processes that were killed.
func sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && time.Since(info.ModTime()) > abandoned {
			err = os.Remove(filepath.Join(dir, entry.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// MismatchError says that bytes are not those of the digest they should have.
type MismatchError struct {
	From string // a file or URL
	Want versions.Digest
	Got  versions.Digest // zero where reading stopped before the end
	// WantSize is 0 where it is not known. Size is what was read.
	WantSize, Size int64
}

func (e *MismatchError) Error() string {
	s := fmt.Sprintf("checking %q: want sha256 %s", e.From, e.Want)
	if e.WantSize > 0 && e.Size != e.WantSize {
		if e.Got == (versions.Digest{}) {
			return fmt.Sprintf("%s and %d bytes, got more", s, e.WantSize)
		}
		return fmt.Sprintf("%s and %d bytes, got %s and %d bytes", s, e.WantSize, e.Got, e.Size)
	}
	return fmt.Sprintf("%s, got %s (%d bytes)", s, e.Got, e.Size)
}

// NewVerifier returns a reader of r's bytes whose last read fails with a
// [MismatchError] unless the bytes have the digest. A size that is not 0 is
// the most that is read.
func NewVerifier(r io.Reader, from string, want versions.Digest, size int64) io.Reader {
	return &verifier{r: r, hash: sha256.New(), err: MismatchError{From: from, Want: want, WantSize: size}}
}

type verifier struct {
	r    io.Reader
	hash interface {
		io.Writer
		Sum([]byte) []byte
	}
	err MismatchError
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	v.hash.Write(p[:n])
	v.err.Size += int64(n)
	if v.err.WantSize > 0 && v.err.Size > v.err.WantSize {
		return n, &v.err
	}
	if err != io.EOF {
		return n, err
	}
	v.err.Got, _ = versions.ParseDigest(hex.EncodeToString(v.hash.Sum(nil)))
	if v.err.Got != v.err.Want {
		return n, &v.err
	}
	return n, io.EOF
}
