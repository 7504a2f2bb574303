// Package layer writes image layers that are a pure function of path, mode and
// bytes: the same on every machine and every day. It is the only code that
// writes one; the Bazel rule, the builder without Bazel and the tests call it.
package layer

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// Entry is what a layer holds: one regular file, or symlinks alone.
type Entry struct {
	Path     string // absolute in the image
	Mode     int64  // permission bits
	Size     int64  // of the file, in bytes
	Content  io.Reader
	Symlinks []versions.Symlink
}

// Descriptor tells of a written layer what a manifest and a config need.
type Descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"` // "sha256:…" of the compressed bytes
	DiffID    string `json:"diffID"` // "sha256:…" of the tar
	Size      int64  `json:"size"`   // of the compressed bytes
}

var mediaTypes = map[versions.Compression]string{
	versions.Gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
	versions.Zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
}

const (
	// chunk is how many bytes travel from the file to the hash and the
	// compressor at a time.
	chunk = 1 << 20
	// inFlight bounds the chunks, and so the memory, of one layer.
	inFlight = 4
)

// Write writes one layer to w, compressed, in one pass over the content: tar,
// compression, digest and diffID. Memory is bounded whatever the size. The
// content must have exactly the size that the entry tells.
func Write(ctx context.Context, w io.Writer, e Entry, c versions.Compression) (Descriptor, error) {
	digest := sha256.New()
	out := &counter{w: io.MultiWriter(w, digest)}
	compressor, err := NewCompressor(out, c)
	if err != nil {
		return Descriptor{}, err
	}
	// The diffID is hashed beside the compression; the compressor takes its own
	// copy of what it is given.
	diffID := sha256.New()
	hashed := newBeside(diffID)
	err = writeTar(ctx, io.MultiWriter(hashed, compressor), e)
	hashed.wait()
	// Closed in any case, or its goroutines would stay.
	if err := errors.Join(err, compressor.Close()); err != nil {
		return Descriptor{}, fmt.Errorf("writing layer of %q: %w", e.Path, err)
	}
	return Descriptor{
		MediaType: mediaTypes[c],
		Digest:    "sha256:" + hex.EncodeToString(digest.Sum(nil)),
		DiffID:    "sha256:" + hex.EncodeToString(diffID.Sum(nil)),
		Size:      out.n,
	}, nil
}

// writeTar writes the tar of an entry: plain USTAR, as old as it gets, with
// every field that a clock, a user or a machine could fill at zero.
func writeTar(ctx context.Context, w io.Writer, e Entry) error {
	t := tar.NewWriter(w)
	if len(e.Symlinks) == 0 {
		err := t.WriteHeader(&tar.Header{
			Format: tar.FormatUSTAR, Typeflag: tar.TypeReg,
			Name: strings.TrimPrefix(e.Path, "/"), Mode: e.Mode, Size: e.Size,
		})
		if err != nil {
			return err
		}
		if err := copyAll(ctx, t, e.Content, e.Size); err != nil {
			return err
		}
	}
	for _, link := range e.Symlinks {
		err := t.WriteHeader(&tar.Header{
			Format: tar.FormatUSTAR, Typeflag: tar.TypeSymlink,
			Name: strings.TrimPrefix(link.Path, "/"), Linkname: link.Target, Mode: 0o777,
		})
		if err != nil {
			return err
		}
	}
	return t.Close()
}

// copyAll copies exactly size bytes and then wants the end: a reader that
// checks a hash says there what it found.
func copyAll(ctx context.Context, w io.Writer, r io.Reader, size int64) error {
	buf := make([]byte, chunk)
	for done := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buf)
		if done += int64(n); done > size {
			return fmt.Errorf("want %d bytes, got more", size)
		}
		if _, werr := w.Write(buf[:n]); werr != nil {
			return werr
		}
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			if done != size {
				return fmt.Errorf("want %d bytes, got %d", size, done)
			}
			return nil
		case err != nil:
			return err
		}
	}
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// beside hashes on a goroutine of its own, a bounded number of chunks behind.
type beside struct {
	chunks chan []byte
	free   chan []byte
	done   chan struct{}
}

func newBeside(hash io.Writer) *beside {
	b := &beside{make(chan []byte, inFlight), make(chan []byte, inFlight), make(chan struct{})}
	for range inFlight {
		b.free <- nil
	}
	go func() {
		defer close(b.done)
		for c := range b.chunks {
			hash.Write(c)
			b.free <- c
		}
	}()
	return b
}

func (b *beside) Write(p []byte) (int, error) {
	b.chunks <- append((<-b.free)[:0], p...)
	return len(p), nil
}

func (b *beside) wait() {
	close(b.chunks)
	<-b.done
}
