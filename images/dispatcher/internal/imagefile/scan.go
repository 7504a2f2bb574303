package imagefile

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// scan looks for a path in one layer.
type scan struct {
	path  string
	limit int64
	w     io.Writer

	found  bool
	inWay  string // says what stands where path has a folder; "" if nothing does
	hidden string // what a whiteout removes of lower layers, path or a folder of it
}

// Names of whiteouts, as the OCI image specification has them.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	metadata = ".wh..wh." // of the union filesystem that they come from
)

func (s *scan) tar(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := absolute(header.Name)
		if err != nil {
			return err
		}
		if err := s.entry(name, header, t); err != nil {
			return err
		}
	}
}

func (s *scan) entry(name string, header *tar.Header, content io.Reader) error {
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	switch {
	case base == opaque:
		if within(s.path, dir) {
			s.hidden = dir
		}
		return nil
	case strings.HasPrefix(base, metadata):
		return nil
	case strings.HasPrefix(base, whiteout):
		return s.remove(dir, strings.TrimPrefix(base, whiteout))
	case name == s.path:
		return s.file(header, content)
	case within(s.path, name) && header.Typeflag != tar.TypeDir:
		s.inWay = fmt.Sprintf("%q is %s", name, kind(header))
	}
	return nil
}

// remove is called at the whiteout of a name in a folder.
func (s *scan) remove(dir, name string) error {
	if name == "" || name == "." || name == ".." {
		return fmt.Errorf("it removes %q of %q, which is no name", name, dir)
	}
	if gone := path.Join(dir, name); gone == s.path || within(s.path, gone) {
		s.hidden = gone
	}
	return nil
}

// file is called at the wanted path.
func (s *scan) file(header *tar.Header, content io.Reader) error {
	switch {
	case s.found:
		return fmt.Errorf("it has %q twice", s.path)
	case header.Typeflag != tar.TypeReg:
		return fmt.Errorf("%q is %s", s.path, kind(header))
	case header.Size > s.limit:
		return fmt.Errorf("%q has %d bytes, more than the %d allowed", s.path, header.Size, s.limit)
	}
	s.found = true
	if _, err := io.Copy(s.w, content); err != nil {
		return fmt.Errorf("copying %q: %w", s.path, err)
	}
	return nil
}

// verdict is an error if a reader that follows links could find another file,
// or none.
func (s *scan) verdict() error {
	if s.inWay == "" {
		return nil
	}
	if s.found {
		return fmt.Errorf("it has %q, although %s", s.path, s.inWay)
	}
	return fmt.Errorf("there is no %q: %s", s.path, s.inWay)
}

// absolute is the path that an entry's name means. Builders write them with and
// without / or ./ in front.
func absolute(name string) (string, error) {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("entry %q climbs out of its folder", name)
		}
	}
	if name == "" || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("entry %q has no proper name", name)
	}
	return path.Join("/", name), nil
}

// within tells whether path lies below folder.
func within(path, folder string) bool {
	return folder == "/" || strings.HasPrefix(path, folder+"/")
}

func kind(header *tar.Header) string {
	switch header.Typeflag {
	case tar.TypeReg:
		return "a file"
	case tar.TypeDir:
		return "a folder"
	case tar.TypeSymlink:
		return fmt.Sprintf("a link to %q: name the path that it leads to", header.Linkname)
	case tar.TypeLink:
		return fmt.Sprintf("another name of %q: name that", header.Linkname)
	}
	return fmt.Sprintf("a special file (type %q)", header.Typeflag)
}
