package debian

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Exec turns this process into the program args[0], an absolute path inside
// the root, with the machine's processes, devices, network and privileges left
// as they are: for a program that makes sandboxes of its own and is to get
// every signal itself, and so must have no keeper. The machine's top folders
// that hold no system are in their places; binds come on top. It returns only
// if that fails.
func (r *Root) Exec(args, env []string, dir string, binds []Bind) error {
	machine, err := machineFolders("/")
	if err != nil {
		return err
	}
	binds = slices.Concat(machine, networkFiles(), binds)
	for i := range binds {
		// The kernel would look links up in the new root.
		if binds[i].Src, err = filepath.EvalSymlinks(binds[i].Src); err != nil {
			return fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
		}
	}
	if err := r.makeMountPoints(binds); err != nil {
		return fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
	}
	// Mounts and the root folder belong to the thread from here on, and the
	// thread becomes the program.
	runtime.LockOSThread()
	if err := r.mount(binds); err != nil {
		return fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
	}
	if err := unix.Chdir(dir); err != nil {
		return fmt.Errorf("entering the Debian root %q: changing to the folder %q: %w", r.Name(), dir, err)
	}
	unix.Umask(0o022)
	return fmt.Errorf("running %q in the Debian root %q: %w", args[0], r.Name(), unix.Exec(args[0], args, env))
}

// ofTheSystem are the top folders that a root has itself.
var ofTheSystem = []string{"bin", "boot", "etc", "lib", "lost+found", "sbin", "usr", "var"}

// machineFolders are the folders of top that a root shows as they are.
func machineFolders(top string) ([]Bind, error) {
	entries, err := os.ReadDir(top)
	if err != nil {
		return nil, fmt.Errorf("listing the machine's folders: %w", err)
	}
	var binds []Bind
	for _, e := range entries {
		// A link may lead to a folder, too.
		info, err := os.Stat(filepath.Join(top, e.Name()))
		if err != nil || !info.IsDir() || slices.Contains(ofTheSystem, e.Name()) || strings.HasPrefix(e.Name(), "lib") {
			continue
		}
		binds = append(binds, Bind{Src: filepath.Join(top, e.Name()), Dst: "/" + e.Name()})
	}
	return binds, nil
}

// mount makes the root, with binds, this thread's root folder. It moves the
// old one aside, so that a bind can come from anywhere in it, and drops it
// last. A mere chroot would not do: the kernel lets nobody make user
// namespaces, which sandboxes need, in one.
func (r *Root) mount(binds []Bind) error {
	steps := mounter{}
	steps.do("unsharing mounts", unix.Unshare(unix.CLONE_NEWNS))
	// What is mounted in here stays in here.
	steps.mount("", "/", "", unix.MS_SLAVE|unix.MS_REC)
	// Any folder will do as a place to begin with.
	steps.mount("tmpfs", "/tmp", "tmpfs", 0)
	steps.mkdir("/tmp/old")
	steps.mkdir("/tmp/new")
	steps.do("moving the root folder aside", steps.try(func() error { return unix.PivotRoot("/tmp", "/tmp/old") }))
	steps.bind(Bind{Src: r.Dir(), Dst: "/", ReadOnly: true}, unix.MS_BIND)
	for _, b := range binds {
		steps.bind(b, unix.MS_BIND|unix.MS_REC)
	}
	steps.do("changing to the new root folder", steps.try(func() error { return unix.Chdir("/new") }))
	steps.do("changing the root folder", steps.try(func() error { return unix.PivotRoot(".", ".") }))
	steps.do("leaving the old root folder", steps.try(func() error { return unix.Unmount(".", unix.MNT_DETACH) }))
	return steps.err
}

// mounter does nothing more once a step has failed.
type mounter struct{ err error }

func (m *mounter) try(f func() error) error {
	if m.err != nil {
		return nil
	}
	return f()
}

func (m *mounter) do(what string, err error) {
	if m.err == nil && err != nil {
		m.err = fmt.Errorf("%s: %w", what, err)
	}
}

func (m *mounter) mkdir(name string) {
	m.do("making a folder", m.try(func() error { return unix.Mkdir(name, 0o755) }))
}

func (m *mounter) mount(source, target, kind string, flags uintptr) {
	m.do(fmt.Sprintf("mounting %q on %q", source, target), m.try(func() error {
		return unix.Mount(source, target, kind, flags, "")
	}))
}

// bind shows what was b.Src as what will be b.Dst.
func (m *mounter) bind(b Bind, flags uintptr) {
	target := "/new" + b.Dst
	m.mount("/old"+b.Src, target, "", flags)
	if !b.ReadOnly || m.err != nil {
		return
	}
	var st unix.Statfs_t
	m.do(fmt.Sprintf("looking at the mount %q", target), unix.Statfs(target, &st))
	// Inside a user namespace a mount must keep the limits that it has.
	keep := uintptr(st.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME)
	if st.Flags&unix.ST_RELATIME != 0 {
		keep |= unix.MS_RELATIME
	}
	m.mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|keep)
}
