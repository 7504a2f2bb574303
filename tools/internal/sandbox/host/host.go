// Package host runs programs in a sandbox that shows the host's own system
// read-only, nothing else of the host, and no network. It suits programs that
// do not depend on the system they run on, and needs no Debian root.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// Root is the host's own system.
type Root struct{ args []string }

// New returns the host's system after running a program in it once.
func New(ctx context.Context) (*Root, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("isolating builds: sandboxes need Linux namespaces; build from source on Linux")
	}
	if _, err := exec.LookPath("bwrap"); err != nil {
		return nil, fmt.Errorf("isolating builds: %w; on Debian: apt-get install bubblewrap", err)
	}
	args, err := systemArgs("/")
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

// Name returns "host".
func (r *Root) Name() string { return "host" }

// Command returns the command that runs the program, without network. The
// program and all of its children die with this process or with ctx.
func (r *Root) Command(ctx context.Context, run debian.Run) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bwrap", slices.Concat(r.args, run.BwrapArgs())...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// systemArgs returns the bwrap arguments that mount the system at root.
// /usr/local is left out: its content is specific to the host, and a toolchain
// is mounted there.
func systemArgs(root string) ([]string, error) {
	args := []string{"--hostname", "host", "--tmpfs", "/"}
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
		source := filepath.Join(root, name)
		info, err := os.Lstat(source)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		option := "--ro-bind"
		if info.Mode()&fs.ModeSymlink != 0 {
			option = "--symlink"
			if source, err = os.Readlink(source); err != nil {
				return nil, err
			}
		}
		args = append(args, option, source, "/"+name)
	}
	return args, nil
}
