// Package deb reads Debian packages from an untrusted source, in one pass and in
// bounded memory. It writes nothing to a file system.
package deb

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/decompress"
)

// Bounds of a package.
const (
	maxControl = 16 << 20 // uncompressed bytes of control.tar
	maxData    = 4 << 30  // uncompressed bytes of data.tar
	maxEntries = 100_000
	maxPath    = 4096 // bytes of a path or of a link target
)

// Package is what a reader finds in front of the files of a package.
type Package struct {
	Control   Control
	Conffiles string // the file conffiles; "" without it
	MD5Sums   string // the file md5sums; "" without it
}

// Reader reads the files of a package, like a [tar.Reader].
type Reader struct {
	Package
	ar      *archive
	plain   io.Reader // data.tar
	tar     *tar.Reader
	closer  io.Closer
	seen    map[string]byte // paths to types
	entries int
}

// NewReader reads the control files of a package.
func NewReader(r io.Reader) (*Reader, error) {
	ar, err := newArchive(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, err
	}
	d := &Reader{ar: ar, seen: map[string]byte{}}
	name, content, err := ar.next()
	if err != nil {
		return nil, orInvalid(err, "want member debian-binary, got none")
	}
	version, err := io.ReadAll(io.LimitReader(content, 16))
	if err != nil || name != "debian-binary" || !bytes.HasPrefix(version, []byte("2.")) {
		return nil, orInvalid(err, "want a Debian package of format 2, got member %q with %q", name, version)
	}
	plain, closer, err := d.member("control.tar", maxControl)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(d.readControl(plain), closer.Close()); err != nil {
		return nil, fmt.Errorf("control.tar: %w", err)
	}
	if d.plain, d.closer, err = d.member("data.tar", maxData); err != nil {
		return nil, err
	}
	d.tar = tar.NewReader(d.plain)
	return d, nil
}

// Close frees the resources of the reader.
func (d *Reader) Close() error { return d.closer.Close() }

// extensions has those of members, by their compression.
var extensions = map[decompress.Format]string{decompress.None: "", decompress.Gzip: ".gz", decompress.XZ: ".xz", decompress.Zstd: ".zst"}

// member decompresses the next member of the archive.
func (d *Reader) member(want string, limit int64) (io.Reader, io.Closer, error) {
	name, content, err := d.ar.next()
	if err != nil {
		return nil, nil, orInvalid(err, "want member %s, got none", want)
	}
	extension, ok := strings.CutPrefix(name, want)
	if !ok {
		return nil, nil, fmt.Errorf("want member %s, got %q", want, name)
	}
	plain, format, err := decompress.NewReader(content)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	if wantExtension, ok := extensions[format]; !ok || extension != wantExtension {
		return nil, nil, errors.Join(fmt.Errorf("%s: want the compression of its name, gz, xz or zst, got %q", name, format), plain.Close())
	}
	return &boundedReader{plain, limit, limit}, plain, nil
}

func (d *Reader) readControl(plain io.Reader) error {
	files := map[string]string{}
	t := tar.NewReader(plain)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name := path.Clean(h.Name)
		if !slices.Contains([]string{"control", "conffiles", "md5sums"}, name) {
			continue
		}
		if _, dup := files[name]; dup || h.Typeflag != tar.TypeReg || isSparse(h) {
			return fmt.Errorf("file %q: want one regular file", name)
		}
		text, err := io.ReadAll(t)
		if err != nil {
			return err
		}
		files[name] = string(text)
	}
	if err := drain(plain); err != nil {
		return err
	}
	control, err := ParseControl(files["control"])
	d.Package = Package{control, files["conffiles"], files["md5sums"]}
	if err != nil {
		return fmt.Errorf("file \"control\": %w", err)
	}
	return nil
}

// Next advances to the next file. Its Name, and the Linkname of a hard link, are
// absolute and clean. The first entry, the root directory, is "/". Next returns
// io.EOF only after it has validated and read the rest of the package.
func (d *Reader) Next() (*tar.Header, error) {
	h, err := d.tar.Next()
	if errors.Is(err, io.EOF) {
		return nil, d.end()
	}
	if err != nil {
		return nil, fmt.Errorf("data.tar: %w", err)
	}
	if err := d.check(h); err != nil {
		return nil, fmt.Errorf("data.tar: entry %q: %w", h.Name, err)
	}
	return h, nil
}

// Read reads the content of the current file.
func (d *Reader) Read(p []byte) (int, error) { return d.tar.Read(p) }

// check validates an entry and makes its paths absolute.
func (d *Reader) check(h *tar.Header) error {
	if d.entries++; d.entries > maxEntries {
		return fmt.Errorf("more than %d entries", maxEntries)
	}
	name, err := cleanPath(h.Name)
	if err != nil {
		return err
	}
	h.Name = name
	// The size of a sparse file is not bounded by that of the archive.
	if isSparse(h) {
		return errors.New("sparse file")
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink:
		if h.Linkname == "" || len(h.Linkname) > maxPath || strings.ContainsRune(h.Linkname, 0) {
			return errors.New("invalid target")
		}
	case tar.TypeLink:
		if h.Linkname, err = cleanPath(h.Linkname); err != nil {
			return fmt.Errorf("target: %w", err)
		}
		if d.seen[h.Linkname] != tar.TypeReg {
			return fmt.Errorf("target %q: want an earlier regular file", h.Linkname)
		}
	default:
		return fmt.Errorf("want a file, directory or link, got type %q", h.Typeflag)
	}
	if _, dup := d.seen[name]; dup {
		return errors.New("duplicate entry")
	}
	if h.Mode&^0o7777 != 0 || h.Uid < 0 || h.Gid < 0 {
		return fmt.Errorf("invalid mode %o or owner %d:%d", h.Mode, h.Uid, h.Gid)
	}
	for parent := path.Dir(name); parent != "/"; parent = path.Dir(parent) {
		if kind, ok := d.seen[parent]; ok && kind != tar.TypeDir {
			return fmt.Errorf("%q is not a directory", parent)
		}
	}
	d.seen[name] = h.Typeflag
	return nil
}

// end reads to the end of the package and returns io.EOF if it is valid.
func (d *Reader) end() error {
	if err := drain(d.plain); err != nil {
		return fmt.Errorf("data.tar: %w", err)
	}
	name, _, err := d.ar.next()
	if err == nil {
		return fmt.Errorf("unexpected member %q after data.tar", name)
	}
	return err
}

// drain reads to the end, where decompressors verify checksums. The rest must be
// padding.
func drain(r io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return errors.New("trailing data after the tar archive")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// cleanPath returns the absolute path of an entry, whose name is relative.
func cleanPath(name string) (string, error) {
	switch {
	case name == "" || len(name) > maxPath || strings.ContainsRune(name, 0):
		return "", errors.New("invalid path")
	case path.IsAbs(name):
		return "", errors.New("absolute path")
	case strings.Contains("/"+name+"/", "/../"):
		return "", errors.New(`path contains ".."`)
	}
	return path.Join("/", name), nil
}
