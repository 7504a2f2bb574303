// Package unpack reads one member out of a compressed tar archive that somebody
// else made. Nothing is written to a file system, and still every entry is held
// to what an honest archive has, to the archive's last byte: an archive that
// would escape from a folder elsewhere is not one to take a program from.
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

// Limits bound what an archive may make its reader do.
type Limits struct {
	Bytes   int64 // of the whole archive, uncompressed
	Entries int
}

// maxWindow bounds the memory of a zstd stream, in bytes: what zstd's own
// command line takes without being told otherwise.
const maxWindow = 128 << 20

// Member returns a reader of the regular file name in a tar.gz or tar.zst and
// its size. The reader's end, io.EOF, comes only after the rest of the archive
// was found sound; what was read before an error is not to be used.
func Member(archive io.Reader, name string, limits Limits) (io.Reader, int64, error) {
	plain, err := decompress(bufio.NewReader(archive))
	if err != nil {
		return nil, 0, err
	}
	bounded := &boundedReader{r: plain, left: limits.Bytes, limit: limits.Bytes}
	w := &walker{raw: bounded, tar: tar.NewReader(bounded), limits: limits, seen: map[string]byte{}}
	for {
		h, err := w.next()
		if errors.Is(err, io.EOF) {
			return nil, 0, fmt.Errorf("there is no %q among its %d entries", name, len(w.seen))
		}
		if err != nil {
			return nil, 0, err
		}
		if path.Clean(h.Name) != name {
			continue
		}
		if h.Typeflag != tar.TypeReg {
			return nil, 0, fmt.Errorf("%q is not a regular file there", name)
		}
		return &member{walker: w}, h.Size, nil
	}
}

// member reads the current entry, and then, before it says io.EOF, the rest of
// the archive.
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

// walker goes from entry to entry.
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
		return nil, fmt.Errorf("it has more than the %d entries allowed", w.limits.Entries)
	}
	name, err := inside(h.Name)
	if err != nil {
		return nil, err
	}
	// Of a sparse file the archive has less than comes out.
	if sparse(h) {
		return nil, fmt.Errorf("%q is a sparse file", h.Name)
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink:
		// A symlink's target is seen from its folder, a hard link's from the root.
		if _, err := inside(path.Join(path.Dir(name), h.Linkname)); err != nil || path.IsAbs(h.Linkname) {
			return nil, fmt.Errorf("%q is a link out of the archive, to %q", h.Name, h.Linkname)
		}
	case tar.TypeLink:
		if _, err := inside(h.Linkname); err != nil {
			return nil, fmt.Errorf("%q is a link out of the archive, to %q", h.Name, h.Linkname)
		}
	default:
		return nil, fmt.Errorf("%q is neither file, folder nor link, but of type %q", h.Name, h.Typeflag)
	}
	if before, dup := w.seen[name]; dup && (before != tar.TypeDir || h.Typeflag != tar.TypeDir) {
		return nil, fmt.Errorf("%q stands in it twice", h.Name)
	}
	for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
		if is, ok := w.seen[parent]; ok && is != tar.TypeDir {
			return nil, fmt.Errorf("%q lies below %q, which is no folder", h.Name, parent)
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

// end reads on to the end of the stream, where its checksum is, and returns
// io.EOF if nothing but padding comes.
func (w *walker) end() error {
	buf := make([]byte, 32<<10)
	for {
		n, err := w.raw.Read(buf)
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return errors.New("something follows after the archive's end")
		}
		if err != nil {
			return err
		}
	}
}

// inside returns the clean form of an entry's name, which must stay below the
// archive's root.
func inside(name string) (string, error) {
	clean := path.Clean(name)
	switch {
	case name == "" || strings.ContainsRune(name, 0):
		return "", fmt.Errorf("%q is no name", name)
	case path.IsAbs(name):
		return "", fmt.Errorf("%q is an absolute path", name)
	case clean == ".." || strings.HasPrefix(clean, "../"), strings.Contains("/"+name+"/", "/../"):
		return "", fmt.Errorf("%q climbs out of its folder", name)
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
		// One goroutine, which ends with the reader.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d, nil
	}
	return nil, fmt.Errorf("it begins with % x, which is neither gzip nor zstd", magic)
}

// boundedReader fails where io.LimitReader would pretend an end.
type boundedReader struct {
	r           io.Reader
	left, limit int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		// Only the end may come.
		n, err := b.r.Read(p[:min(1, len(p))])
		if n > 0 {
			return 0, fmt.Errorf("it unpacks to more than the %d bytes allowed", b.limit)
		}
		return 0, err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
