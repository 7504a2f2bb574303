package component

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// NotFoundError reports that no program has a name.
type NotFoundError struct {
	Name string
	Dirs []string // the directories that were searched
}

func (e *NotFoundError) Error() string {
	name := fmt.Sprintf("%q", e.Name)
	if long := longName(e.Name); long != e.Name {
		name = fmt.Sprintf("%q (%s)", e.Name, long)
	}
	return fmt.Sprintf("finding program %s: not found in %s", name, strings.Join(e.Dirs, " or "))
}

// Find returns the path of a program: the one with the long name, else the one
// with the name as given, in the first directory that has it. The error is a
// [*NotFoundError] if there is no such program, and another one if there is one
// that cannot be executed.
func (f Finder) Find(name string) (string, error) {
	var notExecutable error
	if isFileName(name) {
		for _, n := range slices.Compact([]string{longName(name), name}) {
			for _, dir := range f.Dirs {
				path := filepath.Join(dir, n)
				err := f.check(path)
				if err == nil {
					return path, nil
				}
				if notExecutable == nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errSelf) {
					notExecutable = err
				}
			}
		}
	}
	if notExecutable != nil {
		return "", fmt.Errorf("finding program %q: %w", name, notExecutable)
	}
	return "", &NotFoundError{Name: name, Dirs: f.Dirs}
}

// errSelf reports a symlink to the dispatcher. Images have such symlinks, and
// executing one would execute the dispatcher again, in an endless loop.
var errSelf = errors.New("path is the dispatcher itself")

// check returns an error if the file at path cannot be executed as a component.
func (f Finder) check(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case os.SameFile(info, f.Self):
		return errSelf
	case info.IsDir():
		return fmt.Errorf("%q is a directory", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is not a regular file", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%q is not executable: mode %#o", path, info.Mode().Perm())
	}
	return nil
}
