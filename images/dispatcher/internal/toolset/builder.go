package toolset

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// builder fills one set, before the switch to it.
type builder struct {
	*state
	to int // number of the set
}

// newSet creates the directory of a set, whose mode does not depend on the umask.
func newSet(s *state, number int) (builder, error) {
	for _, dir := range []string{metaDir, setsDir, setPath(number, "")} {
		if err := s.root.Mkdir(dir, 0o755); err != nil && (!errors.Is(err, fs.ErrExist) || dir == setPath(number, "")) {
			return builder{}, err
		}
		if err := s.root.Chmod(dir, 0o755); err != nil {
			return builder{}, err
		}
	}
	return builder{s, number}, nil
}

// reuse adds a name of the current set to this one. A symlink whose target will
// not be in the set becomes a hard link to it.
func (b builder) reuse(name string, inSet func(name string) bool) error {
	target := b.members[name]
	switch {
	case target == "":
		return b.link(setPath(b.number, name), name)
	case strings.Contains(target, "/") || inSet(target):
		return b.root.Symlink(target, setPath(b.to, name))
	}
	if next, ok := b.members[target]; !ok || next != "" {
		return nil // the symlink was dangling before
	}
	return b.link(setPath(b.number, target), name)
}

// addExisting adds a file of the directory to the set, under the same name and
// with the same content.
func (b builder) addExisting(name string, kind entryKind) error {
	if kind == regularFile {
		return b.link(name, name)
	}
	target, err := b.root.Readlink(name)
	if err != nil {
		return err
	}
	if !path.IsAbs(target) {
		target = fromSet + target
	}
	return b.root.Symlink(target, setPath(b.to, name))
}

// link adds a hard link to a file to the set, or a copy on a file system without
// hard links.
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

// addMetadata adds the record of the set, and a symlink to the previous one.
func (b builder) addMetadata(steps []step, previous int, now time.Time) error {
	if err := b.writeRecord(steps, now); err != nil {
		return err
	}
	return linkPrevious(b.root, b.to, previous)
}

// sync syncs the directories and the record of the set to disk. Programs are synced
// when written.
func (b builder) sync() error {
	return syncAll(b.root, setPath(b.to, ""), setPath(b.to, recordFile), setsDir, metaDir, ".")
}

// syncAll syncs files and directories to disk, in parallel: a file system with a
// journal writes it once for all of them. Unlike syncfs, it does not wait for the
// files of other programs.
func syncAll(root *os.Root, names ...string) error {
	var group errgroup.Group
	for _, name := range names {
		group.Go(func() error {
			f, err := root.Open(name)
			if err != nil {
				return err
			}
			err = f.Sync()
			// Some file systems cannot sync directories.
			if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
				err = nil
			}
			return errors.Join(err, f.Close())
		})
	}
	return group.Wait()
}
