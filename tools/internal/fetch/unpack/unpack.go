// Package unpack reads one member of a compressed tar archive from an untrusted
// source. It writes nothing to a file system, but validates all entries up to the
// last byte of the archive: a program in an archive that attacks other readers is
// not to be trusted.
package unpack

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Limits bound the work of reading an archive.
type Limits struct {
	Bytes   int64 // uncompressed size of the archive
	Entries int
}

// maxWindow bounds the memory of a zstd stream, in bytes. It is the default of the
// zstd command.
const maxWindow = 128 << 20

// Member returns a reader of the regular file name in a tar.gz or tar.zst. The
// reader returns io.EOF only after it has validated the rest of the archive; after
// another error, discard what was read.
func Member(archive io.Reader, name string, limits Limits) (io.Reader, error) {
	plain, err := decompress(bufio.NewReader(archive))
	if err != nil {
		return nil, err
	}
	bounded := &boundedReader{r: plain, left: limits.Bytes, limit: limits.Bytes}
	w := &walker{raw: bounded, tar: tar.NewReader(bounded), limits: limits, seen: map[string]byte{}}
	for {
		h, err := w.next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("no entry %q among %d entries", name, len(w.seen))
		}
		if err != nil {
			return nil, err
		}
		if path.Clean(h.Name) != name {
			continue
		}
		if h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("entry %q: want a regular file", name)
		}
		return &member{walker: w}, nil
	}
}

// member reads the current entry and, before it returns io.EOF, the rest of the
// archive.
type member struct {
	walker *walker
	done   bool
}

func (m *member) Read(p []byte) (int, error) {
	if m.done {
		return 0, io.EOF
	}
	n, err := m.walker.tar.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	for {
		if _, err := m.walker.next(); errors.Is(err, io.EOF) {
			m.done = true
			return n, io.EOF
		} else if err != nil {
			return n, err
		}
	}
}

// walker iterates over the entries and validates them.
type walker struct {
	raw    io.Reader
	tar    *tar.Reader
	limits Limits
	seen   map[string]byte // clean name to type
}

func (w *walker) next() (*tar.Header, error) {
	h, err := w.tar.Next()
	if errors.Is(err, io.EOF) {
		return nil, w.end()
	}
	if err != nil {
		return nil, err
	}
	if len(w.seen) == w.limits.Entries {
		return nil, fmt.Errorf("more than %d entries", w.limits.Entries)
	}
	name, err := cleanPath(h.Name)
	if err != nil {
		return nil, err
	}
	// The size of a sparse file is not bounded by that of the archive.
	if sparse(h) {
		return nil, fmt.Errorf("entry %q: sparse file", h.Name)
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink:
		// The target of a symlink is relative to its directory, that of a hard
		// link to the root.
		if _, err := cleanPath(path.Join(path.Dir(name), h.Linkname)); err != nil || path.IsAbs(h.Linkname) {
			return nil, fmt.Errorf("entry %q: link target %q is outside the archive", h.Name, h.Linkname)
		}
	case tar.TypeLink:
		if _, err := cleanPath(h.Linkname); err != nil {
			return nil, fmt.Errorf("entry %q: link target %q is outside the archive", h.Name, h.Linkname)
		}
	default:
		return nil, fmt.Errorf("entry %q: want a file, directory or link, got type %q", h.Name, h.Typeflag)
	}
	if before, dup := w.seen[name]; dup && (before != tar.TypeDir || h.Typeflag != tar.TypeDir) {
		return nil, fmt.Errorf("duplicate entry %q", h.Name)
	}
	for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
		if kind, ok := w.seen[parent]; ok && kind != tar.TypeDir {
			return nil, fmt.Errorf("entry %q: %q is not a directory", h.Name, parent)
		}
	}
	w.seen[name] = h.Typeflag
	return h, nil
}

func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// end reads to the end of the stream, which has a checksum, and returns io.EOF if
// the rest is padding.
func (w *walker) end() error {
	buf := make([]byte, 32<<10)
	for {
		n, err := w.raw.Read(buf)
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return errors.New("trailing data after the archive")
		}
		if err != nil {
			return err
		}
	}
}

// cleanPath returns the clean form of an entry's path, which must be relative and
// without "..".
func cleanPath(name string) (string, error) {
	clean := path.Clean(name)
	switch {
	case name == "" || strings.ContainsRune(name, 0):
		return "", fmt.Errorf("entry %q: invalid path", name)
	case path.IsAbs(name):
		return "", fmt.Errorf("entry %q: absolute path", name)
	case clean == ".." || strings.HasPrefix(clean, "../"), strings.Contains("/"+name+"/", "/../"):
		return "", fmt.Errorf("entry %q: path contains \"..\"", name)
	}
	return clean, nil
}

func decompress(r *bufio.Reader) (io.Reader, error) {
	magic, err := r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(r)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// Without concurrency no goroutine outlives the reader.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d, nil
	}
	return nil, fmt.Errorf("neither gzip nor zstd: it begins with % x", magic)
}

// boundedReader is io.LimitReader with an error in place of io.EOF at the limit.
type boundedReader struct {
	r           io.Reader
	left, limit int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		n, err := b.r.Read(p[:min(1, len(p))])
		if n > 0 {
			return 0, fmt.Errorf("uncompressed size is more than %d bytes", b.limit)
		}
		return 0, err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
