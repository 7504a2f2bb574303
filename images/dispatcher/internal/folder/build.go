package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// builder makes one set, which nobody sees before the switch.
type builder struct {
	*state
	to int // number of the set
}

// newSet makes the folder of a set. Modes are given, and not the umask's.
func newSet(s *state, number int) (builder, error) {
	for _, dir := range []string{home, sets, setPath(number, "")} {
		if err := s.root.Mkdir(dir, 0o755); err != nil && (!errors.Is(err, fs.ErrExist) || dir == setPath(number, "")) {
			return builder{}, err
		}
		if err := s.root.Chmod(dir, 0o755); err != nil {
			return builder{}, err
		}
	}
	return builder{s, number}, nil
}

// write writes a program and returns its sum, which is the wanted one.
func (b builder) write(ctx context.Context, st *step, mode fs.FileMode) (sum checksum.Sum, err error) {
	f, err := b.root.OpenFile(setPath(b.to, st.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	meter := checksum.NewMeter()
	if err := st.content.Write(ctx, io.MultiWriter(f, meter)); err != nil {
		return sum, err
	}
	if st.want != nil {
		if err := meter.Check(*st.want); err != nil {
			return sum, fmt.Errorf("checking %q from %s: %w", st.Name, st.content, err)
		}
	}
	if err := f.Chmod(mode); err != nil {
		return sum, err
	}
	return meter.Sum(), f.Sync()
}

// carry brings a name of the current set into this one. A link whose target
// does not come along becomes what it leads to.
func (b builder) carry(name string, comes func(name string) bool) error {
	m := b.members[name]
	switch {
	case m.link == "":
		return b.link(setPath(b.number, name), name)
	case strings.Contains(m.link, "/") || comes(m.link):
		return b.root.Symlink(m.link, setPath(b.to, name))
	}
	if target, ok := b.members[m.link]; !ok || target.link != "" {
		return nil // it leads nowhere, and so it did before
	}
	return b.link(setPath(b.number, m.link), name)
}

// show brings what the folder itself has under a name into the set, so that it
// is the same to whoever reads it.
func (b builder) show(name string, was entry) error {
	if was == file {
		return b.link(name, name)
	}
	text, err := b.root.Readlink(name)
	if err != nil {
		return err
	}
	if !path.IsAbs(text) {
		text = out + text
	}
	return b.root.Symlink(text, setPath(b.to, name))
}

// link gives a file a second name in the set, or, where the file system has no
// such thing, copies it.
func (b builder) link(from, name string) error {
	err := b.root.Link(from, setPath(b.to, name))
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return err
	}
	if copyErr := b.copy(from, setPath(b.to, name)); copyErr != nil {
		return errors.Join(err, copyErr)
	}
	return nil
}

func (b builder) copy(from, to string) (err error) {
	in, err := b.root.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	f, err := b.root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, in); err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if err := f.Chmod(info.Mode()); err != nil {
		return err
	}
	return f.Sync()
}

// flush brings the set's names to the disk; its files are there already.
func (b builder) flush() error {
	return flush(b.root, setPath(b.to, ""), sets, home, ".")
}

// flush brings the names in folders to the disk.
func flush(root *os.Root, dirs ...string) error {
	for _, dir := range dirs {
		f, err := root.Open(dir)
		if err != nil {
			return err
		}
		err = f.Sync()
		// Some file systems cannot be asked.
		if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
			err = nil
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
