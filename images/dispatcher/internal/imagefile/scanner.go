package imagefile

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// scanner finds files in one layer.
type scanner struct {
	limit   int64 // of the size of a file
	targets []*target
}

// target is a file to find in one layer.
type target struct {
	File
	output   Output // of the file, once it was found
	conflict string // describes an entry at a parent of the path that is not a directory
	removed  string // the path, or a parent of it, if a whiteout removes it from lower layers
}

func newScanner(files []File, limit int64) *scanner {
	s := &scanner{limit: limit}
	for _, f := range files {
		s.targets = append(s.targets, &target{File: f})
	}
	return s
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
		s.remove(dir, false)
	case strings.HasPrefix(base, metadataPrefix):
	case strings.HasPrefix(base, whiteoutPrefix):
		removed := strings.TrimPrefix(base, whiteoutPrefix)
		if removed == "" || removed == "." || removed == ".." {
			return fmt.Errorf("invalid whiteout of %q in %q", removed, dir)
		}
		s.remove(path.Join(dir, removed), true)
	default:
		var found []*target
		for _, t := range s.targets {
			if name == t.Path {
				found = append(found, t)
			}
			if isBelow(t.Path, name) && header.Typeflag != tar.TypeDir {
				t.conflict = fmt.Sprintf("%q is %s", name, describeType(header))
			}
		}
		if len(found) > 0 {
			return s.copy(found, header, content)
		}
	}
	return nil
}

// remove handles a whiteout of everything below a path, and of the path itself.
func (s *scanner) remove(removed string, itself bool) {
	for _, t := range s.targets {
		if isBelow(t.Path, removed) || itself && t.Path == removed {
			t.removed = removed
		}
	}
}

// copy handles the entry at the path of files.
func (s *scanner) copy(found []*target, header *tar.Header, content io.Reader) error {
	name := found[0].Path
	switch {
	case found[0].output != nil:
		return fmt.Errorf("duplicate entry %q", name)
	case header.Typeflag != tar.TypeReg:
		return fmt.Errorf("%q is %s", name, describeType(header))
	case header.Size > s.limit:
		return fmt.Errorf("%q has %d bytes, want at most %d", name, header.Size, s.limit)
	}
	var outputs []io.Writer
	for _, t := range found {
		output, err := t.Create()
		if err != nil {
			return err
		}
		t.output, outputs = output, append(outputs, output)
	}
	if _, err := io.CopyBuffer(io.MultiWriter(outputs...), content, make([]byte, bufferSize)); err != nil {
		return fmt.Errorf("copying %q: %w", name, err)
	}
	return nil
}

// bufferSize is the size of the buffer to copy a file, in bytes.
const bufferSize = 128 << 10

// checkConflict returns an error if a reader that follows links could find
// another file, or none.
func (t *target) checkConflict() error {
	if t.conflict == "" {
		return nil
	}
	if t.output != nil {
		return fmt.Errorf("conflicting entries: %q is a file, but %s", t.Path, t.conflict)
	}
	return fmt.Errorf("file %q not found: %s", t.Path, t.conflict)
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
