package debian

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
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
	m, err := c.mirror(os.DirFS("/etc/apt"), os.DirFS("/var/lib/apt/lists"))
	if err != nil {
		return err
	}
	sources, err := m.render(spec)
	if err != nil {
		return err
	}
	options, err := aptOptions(ctx)
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
	list := filepath.Join(build, "root.sources")
	if err := os.WriteFile(list, []byte(sources), 0o644); err != nil {
		return fmt.Errorf("writing apt sources: %w", err)
	}

	c.Progress.Logf("creating a Debian %s root in %s from %s; this takes one to two minutes", spec.Suite, root.dir, m.archive.uri)
	unpacked := &Root{build}
	args := AsRoot(mmdebstrapArgs(spec, unpacked.Dir(), list, filepath.Join(c.Dir, "debs"), options)...)
	w := &logParser{name: "Debian " + spec.Suite, report: c.Progress}
	if err := runMmdebstrap(ctx, w, args, lock); err != nil {
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

// mirror returns the mirror that the caller configured, or else the one in apt's
// configuration. Lists has the Release files that apt has downloaded.
func (c Config) mirror(apt, lists fs.FS) (mirror, error) {
	sources, err := readSources(apt)
	readOrigins(lists, sources)
	var m mirror
	if err == nil {
		m, err = chooseMirror(sources)
	}
	if uri := c.Getenv(archiveEnv); uri != "" {
		m.archive, err = sourceOf(uri, sources), checkCredentials(archiveEnv, uri)
	}
	if uri := c.Getenv(securityEnv); uri != "" {
		m.security = sourceOf(uri, sources)
		err = errors.Join(err, checkCredentials(securityEnv, uri))
	}
	return m, err
}

// Environment variables with the URIs of mirrors.
const (
	archiveEnv  = "HYPERKUBE_DEBIAN_MIRROR"
	securityEnv = "HYPERKUBE_DEBIAN_SECURITY_MIRROR"
)

// checkCredentials rejects a URI with credentials: mmdebstrap writes it to files of
// the root that every user can read.
func checkCredentials(name, uri string) error {
	if clean := redact.URLs(uri); clean != uri {
		return fmt.Errorf("reading %s=%q: want a URI without user and password, which are stored in files that others can read; "+
			"put them into a file of /etc/apt/auth.conf.d, see apt_auth.conf(5)", name, clean)
	}
	return nil
}

// sourceOf returns the source at uri, with the signing key that apt's
// configuration names for it.
func sourceOf(uri string, sources []source) source {
	for _, s := range sources {
		if strings.TrimSuffix(s.uri, "/") == strings.TrimSuffix(uri, "/") {
			return source{uri: uri, signedBy: s.signedBy}
		}
	}
	return source{uri: uri}
}

// mmdebstrapArgs returns the command line that installs spec into dir. It runs in
// a PID namespace, so that all of its children die with it.
func mmdebstrapArgs(spec Spec, dir, sources, debs string, options []string) []string {
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
	}
	for _, o := range options {
		args = append(args, "--aptopt="+o)
	}
	if len(spec.Packages) > 0 {
		args = append(args, "--include="+strings.Join(spec.Packages, ","))
	}
	return append(args, spec.Suite, dir, sources)
}

// aptOptions returns the host's apt settings for network access: proxies,
// certificates, passwords. mmdebstrap does not read them by itself.
func aptOptions(ctx context.Context) ([]string, error) {
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil, fmt.Errorf("reading apt's configuration: running %q: %w", "apt-config dump", err)
	}
	return append(networkOptions(string(dump)),
		`Dir::Etc::netrc "/etc/apt/auth.conf";`, `Dir::Etc::netrcparts "/etc/apt/auth.conf.d";`), nil
}

// networkOptions selects the settings for network access from the output of
// `apt-config dump`.
func networkOptions(dump string) []string {
	var options []string
	for line := range strings.Lines(dump) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(strings.ToLower(line), " ")
		if value == `"";` {
			continue
		}
		for _, prefix := range []string{
			"acquire::http::", "acquire::https::", "acquire::socks::", "acquire::retries",
			"acquire::forceipv4", "acquire::forceipv6", "acquire::check-date",
		} {
			if strings.HasPrefix(key, prefix) {
				options = append(options, line)
			}
		}
	}
	return options
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
