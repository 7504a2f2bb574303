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
	// previous is the number of the set that a rollback leads to; 0 if there is none.
	previous int
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
	number, ok := parseSetTarget(target, "sets/")
	if !ok {
		return nil, unexpectedError(root, current, "a symlink to sets/NUMBER")
	}
	s.number, s.previous = number, readPrevious(root, number)
	s.members, err = readSet(root, number)
	return s, err
}

// parseSetTarget parses the target of a symlink to a set: the prefix and its number.
func parseSetTarget(target, prefix string) (number int, ok bool) {
	number, err := strconv.Atoi(strings.TrimPrefix(target, prefix))
	return number, err == nil && number > 0 && target == prefix+strconv.Itoa(number)
}

func unexpectedError(root *os.Root, name, want string) error {
	return fmt.Errorf("reading %q: want %s, not created by hyperkube; remove it and run again", path.Join(root.Name(), name), want)
}

// readSet returns the members of a set.
func readSet(root *os.Root, number int) (map[string]string, error) {
	entries, err := readDir(root, setPath(number, ""))
	if err != nil {
		return nil, err
	}
	members := map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case isMetadata(name):
		case entry.Type() == 0:
			members[name] = ""
		case entry.Type() == fs.ModeSymlink:
			if members[name], err = root.Readlink(setPath(number, name)); err != nil {
				return nil, err
			}
		}
	}
	return members, nil
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
