//go:build e2e

package e2e

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// danglingLinks are the symlinks of packages whose targets the images do not have.
var danglingLinks = map[string]string{
	// A script of kmod makes this file, with nothing but comments. systemd reads it.
	"/etc/modules-load.d/modules.conf": "../modules",
}

// testLinks checks that the targets of symlinks and the choices of alternatives exist.
func testLinks(t *testing.T, root string) {
	links := 0
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type() != fs.ModeSymlink {
			return err
		}
		links++
		name := strings.TrimPrefix(file, root)
		target, err := os.Readlink(file)
		// A runtime mounts /dev and /proc.
		if err == nil && target != "/dev/null" && target != "../proc/self/mounts" && !existsIn(root, name, 40) && danglingLinks[name] != target {
			t.Errorf("%s: its target %s does not exist", name, target)
		}
		return err
	})
	if err != nil || links < 100 {
		t.Errorf("checked %d symlinks, %v", links, err)
	}

	groups, _ := filepath.Glob(filepath.Join(root, "var/lib/dpkg/alternatives/*"))
	if len(groups) < 5 {
		t.Errorf("got alternatives %q", groups)
	}
	for _, file := range groups {
		group, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(group), "\n") {
			if path.IsAbs(line) && !existsIn(root, line, 40) {
				t.Errorf("alternative %s: %s does not exist", filepath.Base(file), line)
			}
		}
	}
}

// existsIn reports whether a path exists below root, where it follows up to depth symlinks.
func existsIn(root, name string, depth int) bool {
	dir, rest := "/", strings.TrimPrefix(name, "/")
	for rest != "" {
		var element string
		element, rest, _ = strings.Cut(rest, "/")
		file := path.Join(dir, element)
		info, err := os.Lstat(filepath.Join(root, file))
		if err != nil {
			return false
		}
		if info.Mode().Type() != fs.ModeSymlink {
			dir = file
			continue
		}
		target, err := os.Readlink(filepath.Join(root, file))
		if err != nil || depth == 0 {
			return false
		}
		if !path.IsAbs(target) {
			target = dir + "/" + target
		}
		return existsIn(root, target+"/"+rest, depth-1)
	}
	return true
}
