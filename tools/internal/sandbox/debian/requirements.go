package debian

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strings"
)

// missingPackages lists the Debian packages that the host lacks to create and
// enter roots.
func missingPackages() []string {
	var missing []string
	// Minimal container images lack mount.
	for _, tool := range []struct{ program, pkg string }{{"mmdebstrap", "mmdebstrap"}, {"bwrap", "bubblewrap"}, {"mount", "mount"}} {
		if _, err := exec.LookPath(tool.program); err != nil {
			missing = append(missing, tool.pkg)
		}
	}
	return missing
}

// requiredIDs is the number of user IDs that Debian uses; nobody is the last.
const requiredIDs = 65535

// mappedIDs counts the IDs of a uid_map.
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

// checkDebian returns an error if the host is not a Debian system.
func checkDebian() error {
	for _, tool := range []string{"apt-get", "apt-config", "dpkg"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s not found: creating Debian roots needs a Debian host", tool)
		}
	}
	return nil
}

// AsRoot returns the command line that runs args with permission to mount and
// with access to all files of a root: unchanged for root, in a user namespace
// for other users.
func AsRoot(args ...string) []string {
	if os.Geteuid() == 0 {
		return args
	}
	return append([]string{"unshare", "--map-root-user", "--map-auto", "--"}, args...)
}

// checkHost returns an error that says what the host lacks to create and enter
// roots.
func checkHost(ctx context.Context) error {
	if err := checkDebian(); err != nil {
		return err
	}
	if missing := missingPackages(); missing != nil {
		return fmt.Errorf("missing programs: run apt-get install --no-install-recommends %s", strings.Join(missing, " "))
	}
	if os.Geteuid() == 0 {
		ids, err := os.ReadFile("/proc/self/uid_map")
		if err != nil {
			return fmt.Errorf("reading the user namespace: %w", err)
		}
		if n := mappedIDs(string(ids)); n < requiredIDs {
			return fmt.Errorf("user namespace has %d IDs, want %d for the files of a Debian system", n, requiredIDs)
		}
	}
	err := runCommand(ctx, AsRoot("bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/", "true")...)
	if err == nil {
		return nil
	}
	if os.Geteuid() == 0 {
		return fmt.Errorf("root cannot mount (container without CAP_SYS_ADMIN?): %w", err)
	}
	name := fmt.Sprint(os.Getuid())
	if u, uerr := user.Current(); uerr == nil {
		name = u.Username
	}
	return fmt.Errorf("needs root, or user namespaces with a range of subordinate IDs (sysctl kernel.unprivileged_userns_clone=1, "+
		"newuidmap from the package uidmap, lines for %q in /etc/subuid and /etc/subgid): %w", name, err)
}

// runCommand runs a command and returns its output only in the error.
func runCommand(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	// dpkg must complete: killed, it would leave packages half-configured.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %q: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// InstallTools installs the missing packages that creating and entering roots
// needs, with the host's apt-get. Package lists go to a temporary directory, so
// nothing else of the host changes.
func InstallTools(ctx context.Context, log io.Writer) error {
	missing := missingPackages()
	if missing == nil {
		return nil
	}
	if err := checkDebian(); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("missing programs: run as root: apt-get install --no-install-recommends %s",
			strings.Join(missing, " "))
	}
	fmt.Fprintf(log, "installing %s with apt-get\n", strings.Join(missing, ", "))
	lists, err := os.MkdirTemp("", "hyperkube-apt-")
	if err != nil {
		return fmt.Errorf("creating a directory for package lists: %w", err)
	}
	defer os.RemoveAll(lists)
	// apt downloads as the user _apt, which needs access.
	if err := os.Chmod(lists, 0o755); err != nil {
		return fmt.Errorf("creating a directory for package lists: %w", err)
	}
	apt := []string{
		"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dir::State::Lists=" + lists, "-o", "Dir::Cache=" + lists,
		// Unattended upgrades may hold the lock on a new machine.
		"-o", "DPkg::Lock::Timeout=600",
	}
	for _, command := range [][]string{
		{"update"},
		append([]string{"install", "--yes", "--no-install-recommends"}, missing...),
	} {
		if err := runCommand(ctx, slices.Concat(apt, command)...); err != nil {
			return fmt.Errorf("installing %s: %w", strings.Join(missing, ", "), err)
		}
	}
	return nil
}
