package toolset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// Paths in the directory.
const (
	metaDir = ".hyperkube"
	setsDir = metaDir + "/sets"
	current = metaDir + "/current"
	// fromSet leads from a set to the directory.
	fromSet = "../../../"
)

// currentPath returns the path of a name in the current set. It is the target of
// the symlink of a managed name.
func currentPath(name string) string { return current + "/" + name }

func setPath(number int, name string) string {
	return path.Join(setsDir, strconv.Itoa(number), name)
}

// state is the state of a directory. All access is through root, so that no
// symlink of the directory leads to files of the container.
type state struct {
	root   *os.Root
	number int // of the current set; 0 if there is none
	// members of the current set: names, with the target of a symlink or "" for a
	// regular file.
	members map[string]string
}

func readState(root *os.Root) (*state, error) {
	s := &state{root: root, members: map[string]string{}}
	for _, dir := range []string{metaDir, setsDir} {
		info, err := root.Lstat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, unexpectedError(root, dir, "a directory")
		}
	}
	target, err := root.Readlink(current)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, unexpectedError(root, current, "a symlink")
	}
	number, err := strconv.Atoi(strings.TrimPrefix(target, "sets/"))
	if err != nil || number < 1 || target != "sets/"+strconv.Itoa(number) {
		return nil, unexpectedError(root, current, "a symlink to sets/NUMBER")
	}
	s.number = number
	return s, s.readSet()
}

func unexpectedError(root *os.Root, name, want string) error {
	return fmt.Errorf("reading %q: want %s, not created by hyperkube; remove it and run again", path.Join(root.Name(), name), want)
}

func (s *state) readSet() error {
	entries, err := readDir(s.root, setPath(s.number, ""))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch entry.Type() {
		case 0:
			s.members[entry.Name()] = ""
		case fs.ModeSymlink:
			if s.members[entry.Name()], err = s.root.Readlink(setPath(s.number, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// readDir reads a directory. A missing one is empty.
func readDir(root *os.Root, name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(root.FS(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// entryKind is the kind of a directory entry.
type entryKind int

const (
	absent  entryKind = iota
	managed           // the symlink into the current set
	regularFile
	foreignSymlink // any other symlink
	otherKind      // a directory or a device, which no program may replace
)

func (s *state) kindOf(name string) (entryKind, error) {
	info, err := s.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent, nil
	case err != nil:
		return absent, err
	case info.Mode().IsRegular():
		return regularFile, nil
	case info.Mode().Type() != fs.ModeSymlink:
		return otherKind, nil
	}
	target, err := s.root.Readlink(name)
	if err != nil {
		return absent, err
	}
	if target == currentPath(name) {
		return managed, nil
	}
	return foreignSymlink, nil
}

// replaceable returns the kind of a name, and an error if it must not be
// replaced.
func (s *state) replaceable(name string) (entryKind, error) {
	kind, err := s.kindOf(name)
	if kind == otherKind {
		return kind, fmt.Errorf("refusing to replace %q: not a regular file or a symlink; remove it and run again", path.Join(s.root.Name(), name))
	}
	return kind, err
}

// sum returns the sum of a regular file: reading another kind of file may block.
func (s *state) sum(ctx context.Context, name string) (checksum.Sum, error) {
	info, err := s.root.Stat(name)
	if err != nil {
		return checksum.Sum{}, err
	}
	if !info.Mode().IsRegular() {
		return checksum.Sum{}, fmt.Errorf("reading %q: not a regular file", path.Join(s.root.Name(), name))
	}
	f, err := s.root.Open(name)
	if err != nil {
		return checksum.Sum{}, err
	}
	defer f.Close()
	digester := checksum.NewDigester()
	if _, err := io.Copy(contextWriter{ctx, digester}, f); err != nil {
		return checksum.Sum{}, fmt.Errorf("reading %q: %w", path.Join(s.root.Name(), name), err)
	}
	return digester.Sum(), nil
}

// contextWriter is a writer that fails once its context is done.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.w.Write(p)
}
