package folder

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// Links are made under these names and renamed; a killed run may leave them.
const (
	newCurrent = home + "/current.new"
	newEntry   = home + "/entry.new"
)

// replace puts a link at name in one step, whatever is there.
func replace(root *os.Root, text, by, name string) error {
	if err := remove(root, by); err != nil {
		return err
	}
	if err := root.Symlink(text, by); err != nil {
		return err
	}
	return root.Rename(by, name)
}

// remove removes what may be there. It looks first: a file system that cannot
// be written to refuses even to remove nothing.
func remove(root *os.Root, name string) error {
	if _, err := root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return root.Remove(name)
}

// switchTo makes a set the current one: the step that all is about.
func switchTo(root *os.Root, number int) error {
	if err := replace(root, "sets/"+strconv.Itoa(number), newCurrent, current); err != nil {
		return err
	}
	return flush(root, home)
}

// enter makes the links of the steps that have none yet.
func enter(root *os.Root, steps []step) error {
	for _, st := range steps {
		var err error
		switch {
		case st.how == leave || st.was == ours:
		case st.was == absent:
			err = root.Symlink(entryLink(st.Name), st.Name)
		default:
			err = replace(root, entryLink(st.Name), newEntry, st.Name)
		}
		if err != nil {
			return err
		}
	}
	return flush(root, ".")
}

// sweep removes what the current set, if there is one, does not need: other
// sets, and links that lead to nothing. Where there is nothing to remove, it
// changes nothing.
func sweep(root *os.Root) error {
	s, err := readState(root)
	if err != nil {
		return err
	}
	errs := []error{s.sweepLinks(), s.sweepSets()}
	for _, name := range []string{newCurrent, newEntry} {
		errs = append(errs, remove(root, name))
	}
	if s.number == 0 {
		// Nothing was ever installed; what is not empty stays.
		_ = root.Remove(sets)
		_ = root.Remove(home)
	}
	return errors.Join(errs...)
}

func (s *state) sweepLinks() error {
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
		if text, err := s.root.Readlink(name); err == nil && text == entryLink(name) {
			errs = append(errs, s.root.Remove(name))
		}
	}
	return errors.Join(errs...)
}

func (s *state) sweepSets() error {
	entries, err := readDir(s.root, sets)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		if entry.Name() != strconv.Itoa(s.number) {
			errs = append(errs, s.root.RemoveAll(path.Join(sets, entry.Name())))
		}
	}
	return errors.Join(errs...)
}
