// Package component finds the programs that lie beside the dispatcher, and
// turns the process into one of them.
//
// It is on the way of every start of every component, so it looks at the few
// files that it needs and at nothing else.
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

// Word is the dispatcher's own name.
const Word = "hyperkube"

// bin is where images have their programs.
const bin = "/usr/local/bin"

// Place is where programs are looked for.
type Place struct {
	Self    fs.FileInfo // the dispatcher, which is never started
	Path    string      // where the dispatcher is
	Folders []string    // in the order in which they are looked through
}

// Here is the place of this process: /usr/local/bin, then the folder that its
// program lies in. The called name, argv[0], helps where /proc is not mounted.
func Here(called string) (Place, error) {
	path, err := os.Executable()
	if err != nil {
		if path, err = lookUp(called); err != nil {
			return Place{}, err
		}
	}
	// The link in /proc leads to the program even when its path is no longer
	// there.
	self, err := os.Stat("/proc/self/exe")
	if err != nil {
		if self, err = os.Stat(path); err != nil {
			return Place{}, err
		}
	}
	return Place{Self: self, Path: path, Folders: folders(path)}, nil
}

// folders are where the programs of a dispatcher are.
func folders(path string) []string {
	own := filepath.Dir(path)
	if own == bin {
		return []string{bin}
	}
	// Installed, it lies in a set, FOLDER/.hyperkube/sets/1, and beside it are the
	// programs of that set alone.
	if sets := filepath.Dir(own); filepath.Base(sets) == "sets" && filepath.Base(filepath.Dir(sets)) == ".hyperkube" {
		return []string{bin, own, filepath.Dir(filepath.Dir(sets))}
	}
	return []string{bin, own}
}

func lookUp(called string) (string, error) {
	path, err := exec.LookPath(called)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err == nil {
		path, err = filepath.Abs(path)
	}
	return path, err
}

// most bounds a list of programs: a folder like /usr/bin has thousands.
const most = 40

// Names is the list in one line, for messages.
func (p Place) Names() string {
	names := p.List()
	if len(names) == 0 {
		return "none"
	}
	rest := ""
	if len(names) > most {
		names, rest = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ") + rest
}

// List names all programs that can be started here, sorted, those of Kubernetes
// first: there may be many others.
func (p Place) List() []string {
	var names []string
	for _, folder := range p.Folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue // a folder that is not there has no programs
		}
		for _, entry := range entries {
			if p.check(filepath.Join(folder, entry.Name())) == nil {
				names = append(names, entry.Name())
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if ka, kb := Known(a), Known(b); ka != kb {
			if ka {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(names)
}
