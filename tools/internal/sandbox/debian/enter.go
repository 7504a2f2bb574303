package debian

import (
	"context"
	"fmt"
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
}

// Command prepares run. The program dies with this process or with ctx, and
// whatever it has started dies with it.
func (r *Root) Command(ctx context.Context, run Run) *exec.Cmd {
	if run.Network {
		run.Binds = append(networkFiles(), run.Binds...)
	}
	err := r.makeMountPoints(run.Binds, "/tmp", "/run", "/dev", "/proc", "/sys")
	args := append(r.enter[:len(r.enter):len(r.enter)], bwrap(r.Dir(), run)...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = 10 * time.Second
	if err != nil && cmd.Err == nil {
		cmd.Err = fmt.Errorf("entering the Debian root %q: %w", r.Name(), err)
	}
	return cmd
}

// Powers are bwrap's arguments for what is left of root's powers inside: those
// over files. Builds need no mounts and no devices.
func Powers() []string {
	return []string{"--cap-drop", "ALL", "--cap-add", "CAP_DAC_OVERRIDE", "--cap-add", "CAP_FOWNER", "--cap-add", "CAP_CHOWN"}
}

// bwrap is the command line that enters the root at dir.
func bwrap(dir string, run Run) []string {
	args := append([]string{"bwrap", "--ro-bind", dir, "/"}, Powers()...)
	args = append(args,
		"--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "debroot",
		"--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run", "--tmpfs", "/tmp",
	)
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
