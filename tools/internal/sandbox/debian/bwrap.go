package debian

import (
	"context"
	"fmt"
	"os/exec"
	"path"
	"strings"
	"time"
)

// Bind mounts the host path Src at Dst inside the sandbox.
type Bind struct {
	Src, Dst string
	ReadOnly bool
}

// Run describes one program that runs in a sandbox with a read-only root and
// without network.
type Run struct {
	Args  []string
	Env   []string // the complete environment: nothing is inherited
	Dir   string   // working directory inside; empty means /
	Binds []Bind
}

// Command returns the command that runs the program in the root. The program
// and all of its children die with this process or with ctx.
func (r *Root) Command(ctx context.Context, run Run) *exec.Cmd {
	err := r.makeMountPoints(run.Binds, "/tmp", "/run", "/dev", "/proc", "/sys")
	args := AsRoot(bwrap(r.Dir(), run)...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = 10 * time.Second
	if err != nil && cmd.Err == nil {
		cmd.Err = fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
	}
	return cmd
}

// bwrap returns the command line that runs a program in the root at dir.
func bwrap(dir string, run Run) []string {
	return append([]string{"bwrap", "--ro-bind", dir, "/", "--hostname", "debian"}, run.BwrapArgs()...)
}

// BwrapArgs returns bwrap's arguments for everything but the file system of
// the root: namespaces, capabilities, binds, environment and program.
func (run Run) BwrapArgs() []string {
	args := []string{
		// Builds need capabilities over files, but no mounts and no devices.
		"--cap-drop", "ALL", "--cap-add", "CAP_DAC_OVERRIDE", "--cap-add", "CAP_FOWNER", "--cap-add", "CAP_CHOWN",
		"--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
		"--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run", "--tmpfs", "/tmp",
	}
	for _, b := range run.Binds {
		flag := "--bind"
		if b.ReadOnly {
			flag = "--ro-bind"
		}
		args = append(args, flag, b.Src, b.Dst)
	}
	args = append(args, "--unshare-net", "--chdir", path.Join("/", run.Dir), "--clearenv")
	for _, e := range run.Env {
		key, value, _ := strings.Cut(e, "=")
		args = append(args, "--setenv", key, value)
	}
	// Files that the program writes must not depend on the caller's umask.
	args = append(args, "--", "/bin/sh", "-c", `umask 022; exec "$@"`, "sh")
	return append(args, run.Args...)
}
