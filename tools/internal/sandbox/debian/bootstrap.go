package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/tools/internal/diskspace"
	"github.com/hyperkube/hyperkube/tools/internal/redact"
	"github.com/hyperkube/hyperkube/tools/internal/shell"
)

// requiredSpace is an upper bound, in bytes, of a root and its packages.
const requiredSpace = 3 << 30

// bootstrap creates the root under a temporary name and renames it. The child
// process inherits the lock: when this process is killed, the lock is held
// until the child has exited, too.
func bootstrap(ctx context.Context, c Config, spec Spec, root *Root, lock *os.File) (err error) {
	if err := diskspace.CheckFree(c.Dir, requiredSpace); err != nil {
		return err
	}
	m, err := mirror.Find(c.Getenv)
	if err != nil {
		return err
	}
	sources, err := renderSources(m, spec)
	if err != nil {
		return err
	}
	options, err := mirror.NetworkOptions(ctx)
	if err != nil {
		return err
	}
	build := root.dir + ".new"
	if err := remove(ctx, build); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, remove(context.WithoutCancel(ctx), build))
		}
	}()
	if err := os.Mkdir(build, 0o755); err != nil {
		return fmt.Errorf("creating a temporary directory: %w", err)
	}
	// URIs of mirrors and proxies may have passwords.
	list, settings := filepath.Join(build, "root.sources"), filepath.Join(build, "apt.conf")
	err = errors.Join(
		os.WriteFile(list, []byte(sources), 0o600),
		os.WriteFile(settings, []byte(strings.Join(options, "\n")+"\n"), 0o600))
	if err != nil {
		return fmt.Errorf("writing apt's configuration: %w", err)
	}

	c.Progress.Logf("creating a Debian %s root in %s from %s; this takes one to two minutes", spec.Suite, root.dir, redact.URLs(m.Archive.URI))
	unpacked := &Root{build}
	args := AsRoot(mmdebstrapArgs(spec, unpacked.Dir(), list, filepath.Join(c.Dir, "debs"), settings)...)
	w := &logParser{name: "Debian " + spec.Suite, report: c.Progress}
	if err := runMmdebstrap(ctx, w, args, lock); err != nil {
		return err
	}
	if err := errors.Join(os.Remove(list), os.Remove(settings)); err != nil {
		return err
	}
	query := unpacked.Command(ctx, Run{
		Args: []string{"dpkg-query", "--show", "--showformat", `${Package}\t${Version}\t${Architecture}\n`},
		Env:  []string{"PATH=/usr/bin:/bin", "LC_ALL=C"},
	})
	query.Stderr = c.Log
	installed, err := query.Output()
	if err == nil {
		err = os.WriteFile(unpacked.packagesFile(), installed, 0o644)
	}
	if err != nil {
		return fmt.Errorf("listing the installed packages: %w", err)
	}
	if err := atomic.SyncFS(build); err != nil {
		return fmt.Errorf("syncing the root to disk: %w", err)
	}
	if err := os.Rename(build, root.dir); err != nil {
		return fmt.Errorf("renaming the root: %w", err)
	}
	c.Progress.Logf("created %s", root.dir)
	return nil
}

// renderSources returns the repositories of spec in apt's deb822 format. mmdebstrap
// chooses the keyring of the suite.
func renderSources(m mirror.Mirror, spec Spec) (string, error) {
	sources := m.Archive.Stanza("", spec.Suite)
	if spec.Security {
		if m.Security.URI == "" {
			return "", mirror.NoSecurityError(spec.Suite)
		}
		sources += m.Security.Stanza("", spec.Suite+"-security")
	}
	return sources, nil
}

// mmdebstrapArgs returns the command line that installs spec into dir, with the files
// of apt's sources and settings. It runs in a PID namespace, so that all of its
// children die with it.
func mmdebstrapArgs(spec Spec, dir, sources, debs, settings string) []string {
	args := []string{
		"bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/",
		"--unshare-pid", "--proc", "/proc", "--die-with-parent", "--",
		"mmdebstrap", "--verbose", "--mode=root", "--variant=apt", "--format=directory",
		// Keep downloaded packages: a mirror may drop them at any time.
		"--skip=essential/unlink,cleanup/apt/cache",
		"--setup-hook=mkdir -p \"$1/var/cache/apt/archives\" && mount -o bind " + shell.Quote(debs) + " \"$1/var/cache/apt/archives\"",
		// An incomplete root is removed, so there is no need to sync every file.
		"--dpkgopt=force-unsafe-io",
		// Internal mirrors are often snapshots past their Valid-Until date.
		`--aptopt=Acquire::Check-Valid-Until "false";`,
		"--aptopt=" + settings,
		// Every program in the root can read the copies of settings and sources.
		`--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/apt/sources.list.d/"*`,
	}
	if len(spec.Packages) > 0 {
		args = append(args, "--include="+strings.Join(spec.Packages, ","))
	}
	return append(args, spec.Suite, dir, sources)
}

// runMmdebstrap runs mmdebstrap and reports its progress. The error includes the errors
// that it has logged.
func runMmdebstrap(ctx context.Context, w *logParser, args []string, lock *os.File) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	cmd.ExtraFiles = []*os.File{lock}
	cmd.WaitDelay = 10 * time.Second
	cmd.Stdout, cmd.Stderr = w, w
	err := cmd.Run()
	if err == nil {
		w.done()
		return nil
	}
	logged := w.failed()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("running mmdebstrap: %w: %s", err, logged)
}

// remove deletes a root, with the privileges that files of other user IDs
// need.
func remove(ctx context.Context, dir string) error {
	if err := runCommand(ctx, AsRoot("rm", "-rf", "--one-file-system", "--", dir)...); err != nil {
		return fmt.Errorf("removing an incomplete root: %w", err)
	}
	return nil
}
