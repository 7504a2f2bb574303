package imagefile

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// scanner finds the file at path in one layer.
type scanner struct {
	path  string
	limit int64
	w     io.Writer

	found    bool
	conflict string // describes an entry at a parent of path that is not a directory
	removed  string // path, or a parent of it, if a whiteout removes it from lower layers
}

// Names of whiteouts, defined by the OCI image specification.
const (
	whiteoutPrefix = ".wh."
	opaqueWhiteout = ".wh..wh..opq"
	metadataPrefix = ".wh..wh." // of the metadata of AUFS
)

func (s *scanner) tar(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := absolutePath(header.Name)
		if err != nil {
			return err
		}
		if err := s.entry(name, header, t); err != nil {
			return err
		}
	}
}

func (s *scanner) entry(name string, header *tar.Header, content io.Reader) error {
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	switch {
	case base == opaqueWhiteout:
		if isBelow(s.path, dir) {
			s.removed = dir
		}
		return nil
	case strings.HasPrefix(base, metadataPrefix):
		return nil
	case strings.HasPrefix(base, whiteoutPrefix):
		return s.whiteout(dir, strings.TrimPrefix(base, whiteoutPrefix))
	case name == s.path:
		return s.file(header, content)
	case isBelow(s.path, name) && header.Typeflag != tar.TypeDir:
		s.conflict = fmt.Sprintf("%q is %s", name, describeType(header))
	}
	return nil
}

// whiteout handles the whiteout of a name in a directory.
func (s *scanner) whiteout(dir, name string) error {
	if name == "" || name == "." || name == ".." {
		return fmt.Errorf("invalid whiteout of %q in %q", name, dir)
	}
	if removed := path.Join(dir, name); removed == s.path || isBelow(s.path, removed) {
		s.removed = removed
	}
	return nil
}

// file handles the entry at the path of the file.
func (s *scanner) file(header *tar.Header, content io.Reader) error {
	switch {
	case s.found:
		return fmt.Errorf("duplicate entry %q", s.path)
	case header.Typeflag != tar.TypeReg:
		return fmt.Errorf("%q is %s", s.path, describeType(header))
	case header.Size > s.limit:
		return fmt.Errorf("%q has %d bytes, want at most %d", s.path, header.Size, s.limit)
	}
	s.found = true
	if _, err := io.Copy(s.w, content); err != nil {
		return fmt.Errorf("copying %q: %w", s.path, err)
	}
	return nil
}

// checkConflict returns an error if a reader that follows links could find
// another file, or none.
func (s *scanner) checkConflict() error {
	if s.conflict == "" {
		return nil
	}
	if s.found {
		return fmt.Errorf("conflicting entries: %q is a file, but %s", s.path, s.conflict)
	}
	return fmt.Errorf("file %q not found: %s", s.path, s.conflict)
}

// absolutePath returns the absolute path of an entry. Image builders write names
// with and without a leading / or ./.
func absolutePath(name string) (string, error) {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("entry %q has \"..\" in its path", name)
		}
	}
	if name == "" || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("invalid entry name %q", name)
	}
	return path.Join("/", name), nil
}

// isBelow reports whether path is below dir.
func isBelow(path, dir string) bool {
	return dir == "/" || strings.HasPrefix(path, dir+"/")
}

func describeType(header *tar.Header) string {
	switch header.Typeflag {
	case tar.TypeReg:
		return "a file"
	case tar.TypeDir:
		return "a directory"
	case tar.TypeSymlink:
		return fmt.Sprintf("a symlink to %q; use the path of its target", header.Linkname)
	case tar.TypeLink:
		return fmt.Sprintf("a hard link to %q; use that path", header.Linkname)
	}
	return fmt.Sprintf("a special file (type %q)", header.Typeflag)
}
