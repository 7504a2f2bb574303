package debian

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strings"
)

// Tools are the programs that a machine needs to make and enter roots; each is
// also the name of its Debian package, but for bwrap, which is in bubblewrap.
var tools = map[string]string{"mmdebstrap": "mmdebstrap", "bwrap": "bubblewrap"}

// MissingPackages names the Debian packages that this machine lacks.
func MissingPackages() []string {
	var missing []string
	for _, tool := range []string{"mmdebstrap", "bwrap"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tools[tool])
		}
	}
	return missing
}

// wantedIDs is how many user ids Debian uses: nobody is the last.
const wantedIDs = 65535

// mappedIDs counts the ids of a uid_map.
func mappedIDs(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		var inside, outside, length int
		if _, err := fmt.Sscan(line, &inside, &outside, &length); err == nil {
			n += length
		}
	}
	return n
}

// checkTools says which programs are missing and how to get them.
func checkTools() error {
	for _, tool := range []string{"apt-get", "apt-config", "dpkg"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("this machine has no %s; Debian roots are made by a Debian machine's own apt", tool)
		}
	}
	missing := MissingPackages()
	// It is on every Debian machine but the smallest of containers.
	if _, err := exec.LookPath("mount"); err != nil {
		missing = append(missing, "mount")
	}
	if missing != nil {
		return fmt.Errorf("missing on this machine: apt-get install --no-install-recommends %s", strings.Join(missing, " "))
	}
	return nil
}

// privilege is what a command line needs in front so that it may make mounts
// and owns all of a root's files: nothing for root, a user namespace for
// others.
func privilege() []string {
	if os.Geteuid() == 0 {
		return nil
	}
	return []string{"unshare", "--map-root-user", "--map-auto", "--"}
}

// checkMachine says what this machine lacks to make roots and enter them.
func checkMachine(ctx context.Context, enter []string) error {
	if err := checkTools(); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		ids, err := os.ReadFile("/proc/self/uid_map")
		if err != nil {
			return fmt.Errorf("looking at this user namespace: %w", err)
		}
		if n := mappedIDs(string(ids)); n < wantedIDs {
			return fmt.Errorf("root of a user namespace with %d ids; the files of a Debian system belong to %d", n, wantedIDs)
		}
	}
	err := try(ctx, append(enter[:len(enter):len(enter)], "bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/", "true")...)
	if err == nil {
		return nil
	}
	if os.Geteuid() == 0 {
		return fmt.Errorf("root may not make mounts here (a container without CAP_SYS_ADMIN?): %w", err)
	}
	name := fmt.Sprint(os.Getuid())
	if u, uerr := user.Current(); uerr == nil {
		name = u.Username
	}
	return fmt.Errorf("needs root, or user namespaces with a range of ids of one's own (sysctl kernel.unprivileged_userns_clone=1, "+
		"newuidmap from the package uidmap, lines for %q in /etc/subuid and /etc/subgid): %w", name, err)
}

// try runs a command only to see whether it can.
func try(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	// dpkg finishes what it is at; killed, it would leave the machine half set up.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %q: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// InstallTools asks the machine's apt for the packages that make and enter
// roots, if they are missing, and for nothing else: even the package lists that
// it needs go to a folder of their own.
func InstallTools(ctx context.Context, log io.Writer) error {
	missing := MissingPackages()
	if missing == nil {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("this machine has no apt-get; Debian roots are made by a Debian machine's own apt")
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("missing on this machine, and only root may install them: apt-get install --no-install-recommends %s",
			strings.Join(missing, " "))
	}
	fmt.Fprintf(log, "installing %s with the machine's apt-get\n", strings.Join(missing, " and "))
	lists, err := os.MkdirTemp("", "hyperkube-apt-")
	if err != nil {
		return fmt.Errorf("making a folder for package lists: %w", err)
	}
	defer os.RemoveAll(lists)
	// apt downloads as a user of its own, who is to get there.
	if err := os.Chmod(lists, 0o755); err != nil {
		return fmt.Errorf("making a folder for package lists: %w", err)
	}
	apt := []string{
		"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dir::State::Lists=" + lists, "-o", "Dir::Cache=" + lists,
		// Others install, too: a new machine upgrades itself when it has started.
		"-o", "DPkg::Lock::Timeout=600",
	}
	for _, command := range [][]string{
		{"update"},
		append([]string{"install", "--yes", "--no-install-recommends"}, missing...),
	} {
		if err := try(ctx, append(apt[:len(apt):len(apt)], command...)...); err != nil {
			return fmt.Errorf("installing %s: %w", strings.Join(missing, " and "), err)
		}
	}
	return nil
}
