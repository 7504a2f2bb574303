package component

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// AbsentError is the error of a name that no program here has.
type AbsentError struct {
	Name    string
	Folders []string
}

func (e *AbsentError) Error() string {
	name := fmt.Sprintf("%q", e.Name)
	if long := Long(e.Name); long != e.Name {
		name = fmt.Sprintf("%q (%s)", e.Name, long)
	}
	return fmt.Sprintf("finding program %s: there is none in %s", name, strings.Join(e.Folders, " or "))
}

// Find returns the path of the program that a name means: the one with the long
// name, else with the name as it is, in the first folder that has it. The
// error is an [*AbsentError] where none is there, another one where what is
// there cannot be started.
func (p Place) Find(name string) (string, error) {
	var unusable error
	if valid(name) {
		names := []string{Long(name)}
		if names[0] != name {
			names = append(names, name)
		}
		for _, n := range names {
			for _, folder := range p.Folders {
				path := filepath.Join(folder, n)
				err := p.check(path)
				if err == nil {
					return path, nil
				}
				if unusable == nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errSelf) {
					unusable = err
				}
			}
		}
	}
	if unusable != nil {
		return "", fmt.Errorf("finding program %q: %w", name, unusable)
	}
	return "", &AbsentError{Name: name, Folders: p.Folders}
}

// errSelf is met at the links that images have to the dispatcher: starting one
// would start the dispatcher for ever.
var errSelf = errors.New("it is the dispatcher")

// check tells why the file at path cannot be started as a component.
func (p Place) check(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case os.SameFile(info, p.Self):
		return errSelf
	case info.IsDir():
		return fmt.Errorf("%q is a folder", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is not a regular file", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%q may not be executed: its mode is %#o", path, info.Mode().Perm())
	}
	return nil
}
