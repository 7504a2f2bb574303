package folder

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

// Where things lie in the folder.
const (
	home    = ".hyperkube"
	sets    = home + "/sets"
	current = home + "/current"
	// out leads from a set back to the folder.
	out = "../../../"
)

// entryLink is what the link of a name leads to.
func entryLink(name string) string { return current + "/" + name }

func setPath(number int, name string) string {
	return path.Join(sets, strconv.Itoa(number), name)
}

// state is what a folder has. Its files are reached through a root, so that no
// link in the folder leads out of it into the container's own files.
type state struct {
	root    *os.Root
	number  int               // of the current set; 0 if there is none
	members map[string]member // of the current set
}

// member is one name of a set: a file, or a link.
type member struct{ link string }

func readState(root *os.Root) (*state, error) {
	s := &state{root: root, members: map[string]member{}}
	for _, dir := range []string{home, sets} {
		info, err := root.Lstat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, foreignError(root, dir, "a folder")
		}
	}
	text, err := root.Readlink(current)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, foreignError(root, current, "a link")
	}
	number, err := strconv.Atoi(strings.TrimPrefix(text, "sets/"))
	if err != nil || number < 1 || text != "sets/"+strconv.Itoa(number) {
		return nil, foreignError(root, current, "a link to sets/NUMBER")
	}
	s.number = number
	return s, s.readSet()
}

func foreignError(root *os.Root, name, want string) error {
	return fmt.Errorf("reading %q: want %s, got something that this program never makes; move it away and run again", path.Join(root.Name(), name), want)
}

func (s *state) readSet() error {
	entries, err := readDir(s.root, setPath(s.number, ""))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch entry.Type() {
		case 0:
			s.members[entry.Name()] = member{}
		case fs.ModeSymlink:
			text, err := s.root.Readlink(setPath(s.number, entry.Name()))
			if err != nil {
				return err
			}
			s.members[entry.Name()] = member{link: text}
		}
	}
	return nil
}

// readDir lists a folder; one that is not there is empty.
func readDir(root *os.Root, name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(root.FS(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// entry is what a name in the folder is.
type entry int

const (
	absent entry = iota
	ours         // the link into the current set
	file
	link  // one that leads elsewhere
	other // a folder, a device: nothing that a program could take the place of
)

func (s *state) look(name string) (entry, error) {
	info, err := s.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent, nil
	case err != nil:
		return absent, err
	case info.Mode().IsRegular():
		return file, nil
	case info.Mode().Type() != fs.ModeSymlink:
		return other, nil
	}
	text, err := s.root.Readlink(name)
	if err != nil {
		return absent, err
	}
	if text == entryLink(name) {
		return ours, nil
	}
	return link, nil
}

// place is look for a name that a program or link is to have.
func (s *state) place(name string) (entry, error) {
	is, err := s.look(name)
	if is == other {
		return other, fmt.Errorf("reading %q: want a file, a link or nothing, got something else; move it away and run again", path.Join(s.root.Name(), name))
	}
	return is, err
}

// sum is the sum of a file; reading anything else may never end.
func (s *state) sum(ctx context.Context, name string) (checksum.Sum, error) {
	info, err := s.root.Stat(name)
	if err != nil {
		return checksum.Sum{}, err
	}
	if !info.Mode().IsRegular() {
		return checksum.Sum{}, fmt.Errorf("reading %q: it is no regular file", path.Join(s.root.Name(), name))
	}
	f, err := s.root.Open(name)
	if err != nil {
		return checksum.Sum{}, err
	}
	defer f.Close()
	meter := checksum.NewMeter()
	if _, err := io.Copy(untilDone{ctx, meter}, f); err != nil {
		return checksum.Sum{}, fmt.Errorf("reading %q: %w", path.Join(s.root.Name(), name), err)
	}
	return meter.Sum(), nil
}

// untilDone is a writer that ends with its context.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.w.Write(p)
}
