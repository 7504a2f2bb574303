// Package layer writes reproducible image layers: the bytes depend only on path,
// mode and content. It is the only code that writes layers; the Bazel rule and the
// builder without Bazel call it.
package layer

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/versions"
)

// Entry is the content of a layer: one regular file, or symlinks.
type Entry struct {
	Path     string // absolute path in the image
	Mode     int64  // permission bits
	Size     int64  // size of the file in bytes
	Content  io.Reader
	Symlinks []versions.Symlink
}

// Descriptor describes a written layer for manifest and config.
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

// MemoryLimit is the value for [debug.SetMemoryLimit] with which a program that
// writes layers or archives of any size needs less than 64 MiB of heap.
const MemoryLimit = 48 << 20

const (
	// chunkSize is the size of reads and writes in bytes.
	chunkSize = 1 << 20
	// maxChunks bounds the chunks in memory per layer.
	maxChunks = 4
)

// Write writes a compressed layer to w in one pass over the content, in bounded
// memory. The content must have exactly the size of the entry.
func Write(ctx context.Context, w io.Writer, e Entry, c versions.Compression) (Descriptor, error) {
	digest := sha256.New()
	var size counter
	compressor, err := NewCompressor(io.MultiWriter(w, digest, &size), c)
	if err != nil {
		return Descriptor{}, err
	}
	// The diffID is hashed concurrently with the compression.
	diffID := sha256.New()
	hasher := newAsyncWriter(diffID)
	e.Content = ctxio.NewReader(ctx, e.Content)
	err = writeTar(io.MultiWriter(hasher, compressor), e)
	hasher.close()
	// Always close the compressor, to stop its goroutines.
	if err := errors.Join(err, compressor.Close()); err != nil {
		return Descriptor{}, fmt.Errorf("writing layer of %q: %w", e.Path, err)
	}
	return Descriptor{
		MediaType: mediaTypes[c],
		Digest:    fmt.Sprintf("sha256:%x", digest.Sum(nil)),
		DiffID:    fmt.Sprintf("sha256:%x", diffID.Sum(nil)),
		Size:      int64(size),
	}, nil
}

// writeTar writes the tar of an entry in USTAR format. All fields that depend on
// time, user or machine are zero.
func writeTar(w io.Writer, e Entry) error {
	t := tar.NewWriter(w)
	if len(e.Symlinks) == 0 {
		err := t.WriteHeader(&tar.Header{
			Format: tar.FormatUSTAR, Typeflag: tar.TypeReg,
			Name: strings.TrimPrefix(e.Path, "/"), Mode: e.Mode, Size: e.Size,
		})
		if err != nil {
			return err
		}
		if err := copyExact(t, e.Content, e.Size); err != nil {
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

// copyExact copies exactly size bytes and reads up to EOF, where a verifying reader
// returns its error.
func copyExact(t *tar.Writer, r io.Reader, size int64) error {
	n, err := io.CopyBuffer(t, r, make([]byte, chunkSize))
	switch {
	case errors.Is(err, tar.ErrWriteTooLong):
		return fmt.Errorf("want %d bytes, got more", size)
	case err == nil && n != size:
		return fmt.Errorf("want %d bytes, got %d", size, n)
	}
	return err
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// asyncWriter writes copies of chunks to a hash on its own goroutine.
type asyncWriter struct {
	chunks chan []byte
	free   chan []byte
	done   chan struct{}
}

func newAsyncWriter(hash io.Writer) *asyncWriter {
	a := &asyncWriter{make(chan []byte, maxChunks), make(chan []byte, maxChunks), make(chan struct{})}
	for range maxChunks {
		a.free <- nil
	}
	go func() {
		defer close(a.done)
		for c := range a.chunks {
			hash.Write(c)
			a.free <- c
		}
	}()
	return a
}

func (a *asyncWriter) Write(p []byte) (int, error) {
	a.chunks <- append((<-a.free)[:0], p...)
	return len(p), nil
}

// close waits until all chunks are written.
func (a *asyncWriter) close() {
	close(a.chunks)
	<-a.done
}
