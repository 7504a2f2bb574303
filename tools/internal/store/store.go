// Package store keeps files by the sha256 of their content, so that no file is
// fetched or rebuilt twice. A file is at sha256/HEX in the store's directory, and
// is created atomically.
package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/versions"
)

// Store is a directory of files by digest. Concurrent use by several processes is
// safe.
type Store struct{ dir string }

// New returns the store in dir. The first Put creates the directory.
func New(dir string) Store { return Store{dir} }

// Path returns the path of the file with a digest, whether or not it exists.
func (s Store) Path(d versions.Digest) string {
	return filepath.Join(s.dir, "sha256", d.String())
}

// Has reports whether the file with a digest exists. Only [Store.Open] verifies
// its content.
func (s Store) Has(d versions.Digest) (bool, error) {
	info, err := os.Stat(s.Path(d))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading the store: %w", err)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("reading the store: %q is not a regular file", s.Path(d))
	}
	return true, nil
}

// Open opens the file with a digest and returns its size in bytes. The last read
// fails with a [MismatchError] if the content does not match the digest.
func (s Store) Open(d versions.Digest) (io.ReadCloser, int64, error) {
	f, err := os.Open(s.Path(d))
	if err != nil {
		return nil, 0, fmt.Errorf("reading the store: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("reading the store: %w", err), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{NewVerifier(f, f.Name(), d, 0), f}, info.Size(), nil
}

// Verify reads the file with a digest and returns a [MismatchError] if the content
// does not match.
func (s Store) Verify(d versions.Digest) error {
	f, _, err := s.Open(d)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

// Put reads r to EOF and stores the bytes if they match the digest. From is the
// source in errors. A size other than 0 limits the number of bytes read. A killed
// process leaves a temporary file, which a later Put removes.
func (s Store) Put(ctx context.Context, d versions.Digest, size int64, from string, r io.Reader) error {
	dir, err := s.openTemp()
	if err != nil {
		return err
	}
	defer dir.Close()
	f, name, err := createTemp(dir, d)
	if err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	if err := fill(ctx, f, d, size, from, r); err != nil {
		return errors.Join(err, dir.Remove(name), f.Close())
	}
	return s.commit(dir, f, name, d)
}

// fill writes the bytes of r if they match the digest.
func fill(ctx context.Context, w io.Writer, d versions.Digest, size int64, from string, r io.Reader) error {
	_, err := io.Copy(w, NewVerifier(ctxio.NewReader(ctx, r), from, d, size))
	var mismatch *MismatchError
	if err != nil && !errors.As(err, &mismatch) {
		err = fmt.Errorf("storing %q: %w", from, err)
	}
	return err
}

// MismatchError reports that content does not match its digest.
type MismatchError struct {
	From     string // file or URL
	Want     versions.Digest
	Got      versions.Digest // zero if reading stopped before the end
	WantSize int64           // 0 if unknown
	Size     int64           // number of bytes read
}

func (e *MismatchError) Error() string {
	s := fmt.Sprintf("verifying %q: want sha256 %s", e.From, e.Want)
	if e.WantSize > 0 && e.Size != e.WantSize {
		if e.Got == (versions.Digest{}) {
			return fmt.Sprintf("%s and %d bytes, got more", s, e.WantSize)
		}
		return fmt.Sprintf("%s and %d bytes, got %s and %d bytes", s, e.WantSize, e.Got, e.Size)
	}
	return fmt.Sprintf("%s, got %s (%d bytes)", s, e.Got, e.Size)
}

// NewVerifier returns a reader of r whose last read fails with a [MismatchError]
// if the bytes do not match the digest. A size other than 0 limits the number of
// bytes read.
func NewVerifier(r io.Reader, from string, want versions.Digest, size int64) io.Reader {
	return &verifier{r: r, hash: sha256.New(), err: MismatchError{From: from, Want: want, WantSize: size}}
}

type verifier struct {
	r    io.Reader
	hash hash.Hash
	err  MismatchError
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
	v.err.Got = versions.NewDigest([sha256.Size]byte(v.hash.Sum(nil)))
	if v.err.Got != v.err.Want {
		return n, &v.err
	}
	return n, io.EOF
}
