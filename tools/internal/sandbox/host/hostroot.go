// Package host runs programs on the machine's own system as if in a root
// of their own: its programs read-only, nothing else of it, no network. It is
// for what does not depend on the system it runs on, and spares a Debian root.
package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// Root is the machine's own system.
type Root struct{ args []string }

// New finds out what of the machine's system is to be shown, and whether that
// works.
func New(ctx context.Context) (*Root, error) {
	if _, err := exec.LookPath("bwrap"); err != nil {
		return nil, fmt.Errorf("isolating builds: %w; on Debian: apt-get install bubblewrap", err)
	}
	args, err := system("/")
	if err != nil {
		return nil, fmt.Errorf("isolating builds: %w", err)
	}
	r := &Root{args}
	out, err := r.Command(ctx, debian.Run{Args: []string{"/bin/true"}}).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("isolating builds: running bwrap: %w: %s; it needs root or user namespaces (sysctl kernel.unprivileged_userns_clone=1)",
			err, strings.TrimSpace(string(out)))
	}
	return r, nil
}

// Name is "host".
func (r *Root) Name() string { return "host" }

// Command prepares a run. The program and all it has started die with this
// process or with ctx.
func (r *Root) Command(ctx context.Context, run debian.Run) *exec.Cmd {
	args := append(r.args[:len(r.args):len(r.args)], "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run")
	args = append(args, debian.Powers()...)
	for _, b := range run.Binds {
		flag := "--bind"
		if b.ReadOnly {
			flag = "--ro-bind"
		}
		args = append(args, flag, b.Src, b.Dst)
	}
	args = append(args, "--chdir", path.Join("/", run.Dir), "--clearenv")
	for _, e := range run.Env {
		key, value, _ := strings.Cut(e, "=")
		args = append(args, "--setenv", key, value)
	}
	// The caller's umask must not show in what the program writes.
	args = append(args, "--", "/bin/sh", "-c", `umask 022; exec "$@"`, "sh")
	cmd := exec.CommandContext(ctx, "bwrap", append(args, run.Args...)...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// system is the part of the command line that shows the programs of the system
// at root. /usr/local stays out: it is nobody's to rely on, and a toolchain is
// put there.
func system(root string) ([]string, error) {
	args := []string{"--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--die-with-parent", "--hostname", "hostroot", "--tmpfs", "/"}
	show := func(name string) error {
		info, err := os.Lstat(filepath.Join(root, name))
		switch {
		case os.IsNotExist(err):
			return nil
		case err != nil:
			return err
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(filepath.Join(root, name))
			if err != nil {
				return err
			}
			args = append(args, "--symlink", target, "/"+name)
		default:
			args = append(args, "--ro-bind", filepath.Join(root, name), "/"+name)
		}
		return nil
	}
	entries, err := os.ReadDir(filepath.Join(root, "usr"))
	if err != nil {
		return nil, err
	}
	names := []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc/alternatives", "etc/ld.so.cache"}
	for _, e := range entries {
		if e.Name() != "local" {
			names = append(names, "usr/"+e.Name())
		}
	}
	for _, name := range names {
		if err := show(name); err != nil {
			return nil, err
		}
	}
	return args, nil
}
