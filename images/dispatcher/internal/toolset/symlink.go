package toolset

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// Temporary names of symlinks, which a killed run may leave behind.
const (
	newCurrent = metaDir + "/current.new"
	newEntry   = metaDir + "/entry.new"
)

// replaceSymlink atomically replaces a name, of any kind, with a symlink.
func replaceSymlink(root *os.Root, target, temporary, name string) error {
	if err := removeIfExists(root, temporary); err != nil {
		return err
	}
	if err := root.Symlink(target, temporary); err != nil {
		return err
	}
	return root.Rename(temporary, name)
}

// removeIfExists removes a name. It checks for existence first: on a read-only
// file system, removing a missing name is an error, too.
func removeIfExists(root *os.Root, name string) error {
	if _, err := root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return root.Remove(name)
}

// switchTo atomically makes a set the current one.
func switchTo(root *os.Root, number int) error {
	if err := replaceSymlink(root, "sets/"+strconv.Itoa(number), newCurrent, current); err != nil {
		return err
	}
	return syncAll(root, metaDir)
}

// createSymlinks creates the missing symlinks into the current set. It does not sync
// them to disk.
func createSymlinks(root *os.Root, steps []step) error {
	for _, st := range steps {
		var err error
		switch {
		case st.method == skip || st.before == managed:
		case st.before == absent:
			err = root.Symlink(currentPath(st.Name), st.Name)
		default:
			err = replaceSymlink(root, currentPath(st.Name), newEntry, st.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cleanUp removes everything that the current set, if there is one, and a rollback
// do not need: other sets, and dangling symlinks. If there is nothing to remove, it does
// not write to the directory.
func cleanUp(root *os.Root) error {
	s, err := readState(root)
	if err != nil {
		return err
	}
	errs := []error{s.removeDanglingSymlinks(), s.removeOldSets()}
	for _, name := range []string{newCurrent, newEntry} {
		errs = append(errs, removeIfExists(root, name))
	}
	if s.number == 0 {
		// Nothing was ever installed. A directory that is not empty stays.
		_ = root.Remove(setsDir)
		_ = root.Remove(metaDir)
	}
	return errors.Join(errs...)
}

func (s *state) removeDanglingSymlinks() error {
	entries, err := readDir(s.root, ".")
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		name := entry.Name()
		if _, ok := s.members[name]; ok || entry.Type() != fs.ModeSymlink || strings.HasPrefix(name, ".") {
			continue
		}
		if target, err := s.root.Readlink(name); err == nil && target == currentPath(name) {
			errs = append(errs, s.root.Remove(name))
		}
	}
	return errors.Join(errs...)
}

func (s *state) removeOldSets() error {
	entries, err := readDir(s.root, setsDir)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		if name := entry.Name(); name != strconv.Itoa(s.number) && name != strconv.Itoa(s.previous) {
			errs = append(errs, s.root.RemoveAll(path.Join(setsDir, entry.Name())))
		}
	}
	return errors.Join(errs...)
}
