package debroot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Bind shows the path Src of the machine as Dst inside.
type Bind struct {
	Src, Dst string
	ReadOnly bool
}

// Run is one program to run inside a root, whose own files are read-only.
type Run struct {
	Args  []string
	Env   []string // all of it: nothing is inherited
	Dir   string   // inside; empty means /
	Binds []Bind

	// Network leaves the machine's network, resolver and certificates in
	// place. Without it there is not even a loopback that leads anywhere.
	Network bool

	// Host leaves the machine's processes, devices and privileges in place:
	// for a program that makes sandboxes of its own.
	Host bool
}

// Command prepares r. The program dies with this process or with ctx, and
// whatever it has started dies with it (but not under Host).
func (r *Root) Command(ctx context.Context, run Run) *exec.Cmd {
	if run.Network {
		run.Binds = append(networkFiles(), run.Binds...)
	}
	err := r.makeMountPoints(run)
	args := append(r.enter[:len(r.enter):len(r.enter)], bwrap(r.Dir(), run)...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = 10 * time.Second
	if err != nil && cmd.Err == nil {
		cmd.Err = fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
	}
	return cmd
}

// bwrap is the command line that enters the root at dir.
func bwrap(dir string, run Run) []string {
	args := []string{"bwrap", "--ro-bind", dir, "/"}
	if run.Host {
		args = append(args, "--cap-add", "ALL",
			"--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc", "--bind", "/sys", "/sys")
	} else {
		// Of root's powers only those over files stay: builds need no mounts.
		args = append(args, "--cap-drop", "ALL", "--cap-add", "CAP_DAC_OVERRIDE", "--cap-add", "CAP_FOWNER", "--cap-add", "CAP_CHOWN",
			"--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "debroot",
			"--dev", "/dev", "--proc", "/proc")
	}
	args = append(args, "--tmpfs", "/run", "--tmpfs", "/tmp")
	for _, b := range run.Binds {
		flag := "--bind"
		if b.ReadOnly {
			flag = "--ro-bind"
		}
		args = append(args, flag, b.Src, b.Dst)
	}
	if !run.Network {
		args = append(args, "--unshare-net")
	}
	args = append(args, "--chdir", path.Join("/", run.Dir), "--clearenv")
	for _, e := range run.Env {
		key, value, _ := strings.Cut(e, "=")
		args = append(args, "--setenv", key, value)
	}
	// The caller's umask must not show in what the program writes.
	args = append(args, "--", "/bin/sh", "-c", `umask 022; exec "$@"`, "sh")
	return append(args, run.Args...)
}

// networkFiles are what programs read to find and trust other machines.
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

// makeMountPoints makes, in the root, the places that binds cover; bwrap can
// not, since it mounts the root read-only.
func (r *Root) makeMountPoints(run Run) error {
	root, err := os.OpenRoot(r.Dir())
	if err != nil {
		return err
	}
	defer root.Close()
	for i, b := range run.Binds {
		if !path.IsAbs(b.Dst) || !filepath.IsAbs(b.Src) {
			return fmt.Errorf("binding %q to %q: want absolute paths", b.Src, b.Dst)
		}
		if covered(b.Dst, run.Binds[:i]) {
			continue
		}
		info, err := os.Stat(b.Src)
		if err != nil {
			return fmt.Errorf("binding %q: %w", b.Src, err)
		}
		if err := makeMountPoint(root, strings.TrimPrefix(path.Clean(b.Dst), "/"), info.IsDir()); err != nil {
			return fmt.Errorf("making a mount point for %q: %w", b.Dst, err)
		}
	}
	return nil
}

func makeMountPoint(root *os.Root, name string, dir bool) error {
	if _, err := root.Lstat(name); err == nil {
		return nil
	}
	if dir {
		return root.MkdirAll(name, 0o755)
	}
	if parent := path.Dir(name); parent != "." {
		if err := root.MkdirAll(parent, 0o755); err != nil {
			return err
		}
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// covered reports whether name lies below what the sandbox brings itself or an
// earlier bind: its place is not in the root then.
func covered(name string, earlier []Bind) bool {
	over := []string{"/tmp", "/run", "/dev", "/proc", "/sys"}
	for _, b := range earlier {
		over = append(over, b.Dst)
	}
	for _, o := range over {
		if path.Clean(name) != path.Clean(o) && strings.HasPrefix(path.Clean(name)+"/", path.Clean(o)+"/") {
			return true
		}
	}
	return false
}
