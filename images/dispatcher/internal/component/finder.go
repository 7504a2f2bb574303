// Package component finds the programs in the directory of the dispatcher, and
// replaces the process with one of them.
//
// Every start of every component executes this code, so it reads only the few
// files that it needs.
package component

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Dispatcher is the name of the dispatcher itself.
const Dispatcher = "hyperkube"

// binDir is the directory of programs in images.
const binDir = "/usr/local/bin"

// Finder finds programs.
type Finder struct {
	Self fs.FileInfo // the dispatcher, which is never executed as a component
	Path string      // of the dispatcher
	Dirs []string    // directories to search, in this order
}

// NewFinder returns a Finder that searches /usr/local/bin, then the directory
// of the dispatcher. It finds the dispatcher by argv0 where /proc is not mounted.
func NewFinder(argv0 string) (Finder, error) {
	path, err := os.Executable()
	if err != nil {
		if path, err = lookPath(argv0); err != nil {
			return Finder{}, err
		}
	}
	// The symlink in /proc leads to the program even after its path was removed.
	self, err := os.Stat("/proc/self/exe")
	if err != nil {
		if self, err = os.Stat(path); err != nil {
			return Finder{}, err
		}
	}
	return Finder{Self: self, Path: path, Dirs: searchDirs(path)}, nil
}

// searchDirs returns the directories to search for a dispatcher at path.
func searchDirs(path string) []string {
	own := filepath.Dir(path)
	if own == binDir {
		return []string{binDir}
	}
	// An installed dispatcher is in a set, DIR/.hyperkube/sets/1, which has only
	// the programs of that set.
	if sets := filepath.Dir(own); filepath.Base(sets) == "sets" && filepath.Base(filepath.Dir(sets)) == ".hyperkube" {
		return []string{binDir, own, filepath.Dir(filepath.Dir(sets))}
	}
	return []string{binDir, own}
}

func lookPath(argv0 string) (string, error) {
	path, err := exec.LookPath(argv0)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err == nil {
		path, err = filepath.Abs(path)
	}
	return path, err
}

// maxNames bounds a list of programs: a directory like /usr/bin has thousands.
const maxNames = 40

// Names returns the list of programs in one line, for messages.
func (f Finder) Names() string {
	names := f.List()
	if len(names) == 0 {
		return "none"
	}
	rest := ""
	if len(names) > maxNames {
		names, rest = names[:maxNames], fmt.Sprintf(" and %d more", len(names)-maxNames)
	}
	return strings.Join(names, ", ") + rest
}

// List returns the names of all programs that can be executed, sorted, with the
// programs of Kubernetes first: there may be many others.
func (f Finder) List() []string {
	var names []string
	for _, dir := range f.Dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // a missing directory has no programs
		}
		for _, entry := range entries {
			if f.check(filepath.Join(dir, entry.Name())) == nil {
				names = append(names, entry.Name())
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if ka, kb := isKubernetes(a), isKubernetes(b); ka != kb {
			if ka {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(names)
}
