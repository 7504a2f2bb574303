// Package layer writes reproducible image layers: the bytes depend only on the paths,
// types, modes, owners and contents of the entries, and on their order. It is the only
// code that writes layers; the Bazel rules and the builder without Bazel call it.
package layer

import (
	"archive/tar"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/versions"
)

// Entry is a file, directory or link in a layer.
type Entry struct {
	Path     string // absolute path in the image
	Type     byte   // a type of package tar: TypeReg, which is 0 here, TypeDir, TypeSymlink or TypeLink
	Mode     int64  // permission bits, with setuid, setgid and sticky
	UID, GID int
	Link     string // target of a symlink; absolute path of the other entry of a hard link
	Size     int64  // size of a file in bytes
	Content  io.Reader
}

// Symlinks returns the entries of symlinks.
func Symlinks(links []versions.Symlink) []Entry {
	entries := make([]Entry, len(links))
	for i, l := range links {
		entries[i] = Entry{Path: l.Path, Type: tar.TypeSymlink, Mode: 0o777, Link: l.Target}
	}
	return entries
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

// Write writes a compressed layer to w in one pass over the contents, in bounded
// memory. The content of a file must have exactly the size of the entry.
func Write(ctx context.Context, w io.Writer, c versions.Compression, entries ...Entry) (Descriptor, error) {
	digest := sha256.New()
	var size counter
	compressor, err := NewCompressor(io.MultiWriter(w, digest, &size), c)
	if err != nil {
		return Descriptor{}, err
	}
	// The diffID is hashed concurrently with the compression.
	diffID := sha256.New()
	hasher := newAsyncWriter(diffID)
	err = writeTar(ctx, io.MultiWriter(hasher, compressor), entries)
	hasher.close()
	// Always close the compressor, to stop its goroutines.
	if err := errors.Join(err, compressor.Close()); err != nil {
		return Descriptor{}, fmt.Errorf("writing layer: %w", err)
	}
	return Descriptor{
		MediaType: mediaTypes[c],
		Digest:    fmt.Sprintf("sha256:%x", digest.Sum(nil)),
		DiffID:    fmt.Sprintf("sha256:%x", diffID.Sum(nil)),
		Size:      int64(size),
	}, nil
}

// DiffID returns the digest and the size of the tar that [Write] compresses.
func DiffID(ctx context.Context, entries ...Entry) (digest string, size int64, err error) {
	sum := sha256.New()
	var n counter
	err = writeTar(ctx, io.MultiWriter(sum, &n), entries)
	return fmt.Sprintf("sha256:%x", sum.Sum(nil)), int64(n), err
}

// writeTar writes a tar in USTAR format, with PAX headers for the paths that do not
// fit into it. All fields that depend on time or machine are zero.
func writeTar(ctx context.Context, w io.Writer, entries []Entry) error {
	t := tar.NewWriter(w)
	buf := make([]byte, chunkSize)
	for _, e := range entries {
		if err := writeEntry(ctx, t, e, buf); err != nil {
			return fmt.Errorf("writing %q: %w", e.Path, err)
		}
	}
	return t.Close()
}

func writeEntry(ctx context.Context, t *tar.Writer, e Entry, buf []byte) error {
	h := &tar.Header{
		Typeflag: cmp.Or(e.Type, tar.TypeReg), Name: strings.TrimPrefix(e.Path, "/"),
		Mode: e.Mode, Uid: e.UID, Gid: e.GID, Linkname: e.Link, Size: e.Size,
	}
	switch h.Typeflag {
	case tar.TypeDir:
		h.Name += "/"
	case tar.TypeLink:
		h.Linkname = strings.TrimPrefix(e.Link, "/")
	}
	if err := t.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	return copyExact(t, ctxio.NewReader(ctx, e.Content), e.Size, buf)
}

// copyExact copies exactly size bytes and reads up to EOF, where a verifying reader
// returns its error.
func copyExact(t *tar.Writer, r io.Reader, size int64, buf []byte) error {
	n, err := io.CopyBuffer(t, r, buf)
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
