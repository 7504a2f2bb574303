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

// Exec replaces this process by the program args[0], an absolute path inside
// the root. It suits programs that create sandboxes and handle signals
// themselves: processes, devices, network and privileges remain those of the
// host. The host's top-level directories are mounted, except system
// directories; binds are mounted on top. Exec returns only on failure.
func (r *Root) Exec(args, env []string, dir string, binds []Bind) error {
	host, err := hostDirs("/")
	if err != nil {
		return err
	}
	binds = slices.Concat(host, networkFiles(), binds)
	for i := range binds {
		// The kernel would resolve symlinks in the new root.
		if binds[i].Src, err = filepath.EvalSymlinks(binds[i].Src); err != nil {
			return fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
		}
	}
	if err := r.makeMountPoints(binds); err != nil {
		return fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
	}
	// From here on the mount namespace and the root directory belong to this
	// thread, which executes the program.
	runtime.LockOSThread()
	if err := r.mount(binds); err != nil {
		return fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
	}
	if err := unix.Chdir(dir); err != nil {
		return fmt.Errorf("entering the Debian root %q: changing to directory %q: %w", r.Name(), dir, err)
	}
	unix.Umask(0o022)
	return fmt.Errorf("executing %q in the Debian root %q: %w", args[0], r.Name(), unix.Exec(args[0], args, env))
}

// systemDirs are the top-level directories that come from the root, not from
// the host.
var systemDirs = []string{"bin", "boot", "etc", "lib", "lost+found", "sbin", "usr", "var"}

// hostDirs returns binds of the directories in top that are not part of the
// system.
func hostDirs(top string) ([]Bind, error) {
	entries, err := os.ReadDir(top)
	if err != nil {
		return nil, fmt.Errorf("listing the host's directories: %w", err)
	}
	var binds []Bind
	for _, e := range entries {
		// Stat follows symlinks to directories.
		info, err := os.Stat(filepath.Join(top, e.Name()))
		if err != nil || !info.IsDir() || slices.Contains(systemDirs, e.Name()) || strings.HasPrefix(e.Name(), "lib") {
			continue
		}
		binds = append(binds, Bind{Src: filepath.Join(top, e.Name()), Dst: "/" + e.Name()})
	}
	return binds, nil
}

// networkFiles returns binds of the host's resolver configuration and CA
// certificates.
func networkFiles() []Bind {
	var binds []Bind
	for _, name := range []string{"/etc/resolv.conf", "/etc/hosts"} {
		if real, err := filepath.EvalSymlinks(name); err == nil {
			binds = append(binds, Bind{real, name, true})
		}
	}
	for _, name := range []string{
		"/etc/ssl/certs/ca-certificates.crt", // Debian
		"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	} {
		if real, err := filepath.EvalSymlinks(name); err == nil {
			return append(binds, Bind{real, "/etc/ssl/certs/ca-certificates.crt", true})
		}
	}
	return binds
}

// mount makes the root, with binds, the root directory of this thread. The old
// root stays mounted until the end, so that binds can come from anywhere in it.
// chroot would not do: the kernel forbids user namespaces, which sandboxes
// need, inside a chroot.
func (r *Root) mount(binds []Bind) error {
	m := mounter{}
	m.do("unsharing the mount namespace", func() error { return unix.Unshare(unix.CLONE_NEWNS) })
	// Mounts made here must not propagate to the host.
	m.mount("", "/", "", unix.MS_SLAVE|unix.MS_REC)
	// Any existing directory can serve as the temporary root.
	m.mount("tmpfs", "/tmp", "tmpfs", 0)
	m.mkdir("/tmp/old")
	m.mkdir("/tmp/new")
	m.do("moving the old root aside", func() error { return unix.PivotRoot("/tmp", "/tmp/old") })
	m.bind(Bind{Src: r.Dir(), Dst: "/", ReadOnly: true}, unix.MS_BIND)
	for _, b := range binds {
		m.bind(b, unix.MS_BIND|unix.MS_REC)
	}
	m.do("changing to the new root", func() error { return unix.Chdir("/new") })
	m.do("pivoting to the new root", func() error { return unix.PivotRoot(".", ".") })
	m.do("unmounting the old root", func() error { return unix.Unmount(".", unix.MNT_DETACH) })
	return m.err
}

// mounter runs steps until one fails and keeps its error.
type mounter struct{ err error }

func (m *mounter) do(action string, f func() error) {
	if m.err != nil {
		return
	}
	if err := f(); err != nil {
		m.err = fmt.Errorf("%s: %w", action, err)
	}
}

func (m *mounter) mkdir(name string) {
	m.do(fmt.Sprintf("creating directory %q", name), func() error { return unix.Mkdir(name, 0o755) })
}

func (m *mounter) mount(source, target, kind string, flags uintptr) {
	m.do(fmt.Sprintf("mounting %q on %q", source, target), func() error {
		return unix.Mount(source, target, kind, flags, "")
	})
}

// bind mounts b.Src of the old root at b.Dst of the new root.
func (m *mounter) bind(b Bind, flags uintptr) {
	target := "/new" + b.Dst
	m.mount("/old"+b.Src, target, "", flags)
	if !b.ReadOnly {
		return
	}
	var st unix.Statfs_t
	m.do(fmt.Sprintf("reading the mount options of %q", target), func() error { return unix.Statfs(target, &st) })
	// A user namespace may not clear these flags of an existing mount.
	keep := uintptr(st.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME)
	if st.Flags&unix.ST_RELATIME != 0 {
		keep |= unix.MS_RELATIME
	}
	m.mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|keep)
}
