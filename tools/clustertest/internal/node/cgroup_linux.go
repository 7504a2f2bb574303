package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cgroupRoot is the mount point of version 2 of cgroups, or the directory of all
// mount points of version 1.
const cgroupRoot = "/sys/fs/cgroup"

// cgroupPrefix begins the names of all cgroups of this package.
const cgroupPrefix = "hyperkube-clustertest-"

// hierarchy is a mounted cgroup hierarchy of the machine.
type hierarchy struct {
	mount   string // mount point: /sys/fs/cgroup/memory
	parent  string // directory of the cgroup of this process
	kind    string // cgroup or cgroup2
	options string // mount options that select the hierarchy: memory
}

// hierarchies returns the cgroup hierarchies of the machine, without those that are
// mounted twice.
func hierarchies() ([]hierarchy, error) {
	mounts, err1 := os.ReadFile("/proc/self/mountinfo")
	own, err2 := os.ReadFile("/proc/self/cgroup")
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("listing cgroups: %w", err)
	}
	return parseHierarchies(string(mounts), string(own)), nil
}

func parseHierarchies(mounts, own string) []hierarchy {
	paths := map[string]string{} // controllers, or the empty string of version 2: cgroup of this process
	for line := range strings.Lines(own) {
		if f := strings.SplitN(strings.TrimSpace(line), ":", 3); len(f) == 3 {
			paths[f[1]] = f[2]
		}
	}
	var all []hierarchy
	for line := range strings.Lines(mounts) {
		before, after, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) < 5 || len(g) < 3 || g[0] != "cgroup" && g[0] != "cgroup2" {
			continue
		}
		h := hierarchy{mount: f[4], kind: g[0]}
		controllers := ""
		if h.kind == "cgroup" {
			// The last field has the controllers, and options of the file system.
			options := slices.DeleteFunc(strings.Split(g[2], ","), func(o string) bool {
				return slices.Contains([]string{"rw", "ro", "xattr", "noprefix", "clone_children"}, o) || strings.HasPrefix(o, "release_agent=")
			})
			controllers = strings.Join(options, ",")
			h.options = controllers
			if strings.HasPrefix(controllers, "name=") {
				h.options = "none," + controllers
			}
		}
		path, ok := paths[controllers]
		if !ok || slices.ContainsFunc(all, func(o hierarchy) bool { return o.kind == h.kind && o.options == h.options }) {
			continue
		}
		h.parent = filepath.Join(h.mount, path)
		if h.mount == cgroupRoot {
			h.parent = h.mount // of version 2: only the root gives controllers to its children while it has processes
		}
		if _, err := os.Stat(h.parent); err != nil {
			h.parent = h.mount // the mount shows a part of the hierarchy, whose root is the cgroup of this process
		}
		all = append(all, h)
	}
	return all
}

// join moves this process into a new cgroup of every hierarchy, and makes these the
// roots of a new cgroup namespace of this thread.
func join(all []hierarchy, name string) error {
	for _, h := range all {
		dir := filepath.Join(h.parent, cgroupPrefix+name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return fmt.Errorf("creating a cgroup: %w", err)
		}
		// A new cgroup of the controller cpuset, of version 1, has no CPUs.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			content, err := os.ReadFile(filepath.Join(h.parent, file))
			if err == nil && h.kind == "cgroup" {
				err = os.WriteFile(filepath.Join(dir, file), content, 0o644)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("setting up cgroup %q: %w", dir, err)
			}
		}
		if err := enter(dir); err != nil {
			return err
		}
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("unsharing the cgroup namespace: %w", err)
	}
	for _, h := range all {
		if h.mount != cgroupRoot {
			continue
		}
		// In version 2, a cgroup with controllers for its children has no processes.
		leaf := filepath.Join(h.parent, cgroupPrefix+name, "init")
		if err := os.Mkdir(leaf, 0o755); err != nil {
			return fmt.Errorf("creating a cgroup: %w", err)
		}
		if err := enter(leaf); err != nil {
			return err
		}
	}
	return nil
}

func enter(cgroup string) error {
	if err := os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return fmt.Errorf("entering cgroup %q: %w", cgroup, err)
	}
	return nil
}

// enterScript is a shell script that moves its process into the cgroups of a node,
// and then executes its arguments.
const enterScript = `
if [ -d /sys/fs/cgroup/init ]; then
  echo 0 >/sys/fs/cgroup/init/cgroup.procs
else
  for procs in /sys/fs/cgroup/*/cgroup.procs; do echo 0 >"$procs"; done
fi
exec "$@"`

// Cgroups returns the cgroups of all nodes on the machine.
func Cgroups() ([]string, error) {
	all, err := hierarchies()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, h := range all {
		err := filepath.WalkDir(h.mount, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // another process has removed its cgroup
			}
			if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), cgroupPrefix) {
				dirs = append(dirs, path)
				return fs.SkipDir
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("listing cgroups: %w", err)
		}
	}
	return dirs, nil
}

// RemoveCgroups removes the cgroups that nodes have left behind. The caller makes
// sure that no node is running.
func RemoveCgroups() error {
	// The kernel takes a moment to remove the processes of a PID namespace.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		dirs, err := Cgroups()
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			if e := removeCgroup(dir); e != nil {
				err = fmt.Errorf("removing a cgroup: %w%s", e, processes(dir))
			}
		}
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func removeCgroup(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	slices.Reverse(dirs) // children first
	for _, d := range dirs {
		if e := unix.Rmdir(d); e != nil && !errors.Is(e, unix.ENOENT) {
			err = errors.Join(err, &fs.PathError{Op: "rmdir", Path: d, Err: e})
		}
	}
	return err
}

// processes describes the processes of a cgroup.
func processes(dir string) string {
	raw, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if pids := bytes.Fields(raw); len(pids) > 0 {
		return fmt.Sprintf(": processes %s", bytes.Join(pids, []byte(" ")))
	}
	return ""
}
