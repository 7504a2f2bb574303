package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/diskspace"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/shell"
)

// bootstrap makes the root beside its place and moves it there. The child
// inherits the lock: should this process be killed, nobody else begins before
// the child, which the kernel kills with it, is really gone.
func bootstrap(ctx context.Context, c Config, spec Spec, root *Root, lock *os.File) error {
	if err := diskspace.CheckFree(c.Dir, room); err != nil {
		return err
	}
	m, err := c.mirror(os.DirFS("/etc/apt"))
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
	if err := remove(ctx, root.enter, build); err != nil {
		return err
	}
	if err := os.Mkdir(build, 0o755); err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	fail := func(err error) error { return errors.Join(err, remove(context.WithoutCancel(ctx), root.enter, build)) }
	list := filepath.Join(build, "root.sources")
	if err := os.WriteFile(list, []byte(sources), 0o644); err != nil {
		return fail(fmt.Errorf("writing the list of repositories: %w", err))
	}

	report := progress.New(c.Log)
	report.Logf("setting up a Debian %s root in %s from %s; this takes a minute or two", spec.Suite, root.dir, m.archive.uri)
	unpacked := &Root{dir: build, enter: root.enter}
	args := append(root.enter[:len(root.enter):len(root.enter)], mmdebstrap(spec, unpacked.Dir(), list, filepath.Join(c.Dir, "debs"), options)...)
	w := &watcher{what: "Debian " + spec.Suite, report: report}
	if err := run(ctx, w, args, lock); err != nil {
		return fail(err)
	}
	var installed bytes.Buffer
	query := unpacked.Command(ctx, Run{
		Args: []string{"dpkg-query", "--show", "--showformat", `${Package}\t${Version}\t${Architecture}\n`},
		Env:  []string{"PATH=/usr/bin:/bin", "LC_ALL=C"},
	})
	query.Stdout, query.Stderr = &installed, c.Log
	if err := query.Run(); err != nil {
		return fail(fmt.Errorf("listing the installed packages: %w", err))
	}
	if err := os.WriteFile(unpacked.packagesFile(), installed.Bytes(), 0o644); err != nil {
		return fail(fmt.Errorf("listing the installed packages: %w", err))
	}
	if err := diskspace.SyncFS(build); err != nil {
		return fail(fmt.Errorf("writing the root to disk: %w", err))
	}
	if err := os.Rename(build, root.dir); err != nil {
		return fail(fmt.Errorf("moving the root into place: %w", err))
	}
	report.Logf("set up %s", root.dir)
	return nil
}

// mirror is where this machine gets its packages, as apt's configuration has it,
// or what the caller named.
func (c Config) mirror(apt fs.FS) (mirror, error) {
	sources, err := readSources(apt)
	var m mirror
	if err == nil {
		m, err = chooseMirror(sources)
	}
	if err != nil && c.Mirror == "" {
		return m, err
	}
	if c.Mirror != "" {
		m.archive = named(c.Mirror, sources)
	}
	if c.SecurityMirror != "" {
		m.security = named(c.SecurityMirror, sources)
	}
	return m, nil
}

// named is a source by its address, with the key that the machine has for it.
func named(uri string, sources []source) source {
	for _, s := range sources {
		if strings.TrimSuffix(s.uri, "/") == strings.TrimSuffix(uri, "/") {
			return source{uri: uri, signedBy: s.signedBy}
		}
	}
	return source{uri: uri}
}

// mmdebstrap is the command line that unpacks spec into dir. Its own process
// namespace takes everything below it along when it is killed.
func mmdebstrap(spec Spec, dir, sources, debs string, options []string) []string {
	args := []string{
		"bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/",
		"--unshare-pid", "--proc", "/proc", "--die-with-parent", "--",
		"mmdebstrap", "--verbose", "--mode=root", "--variant=apt", "--format=directory",
		// What was downloaded stays: a mirror may drop it the next day.
		"--skip=essential/unlink,cleanup/apt/cache",
		"--setup-hook=mkdir -p \"$1/var/cache/apt/archives\" && mount -o bind " + shell.Quote(debs) + " \"$1/var/cache/apt/archives\"",
		// A root that was not finished is thrown away, so there is no use in
		// syncing every single file.
		"--dpkgopt=force-unsafe-io",
		// A fenced mirror is often a snapshot, older than its own limit.
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

// aptOptions are the machine's own settings for reaching its mirror: proxies,
// certificates, passwords. mmdebstrap leaves them out by itself.
func aptOptions(ctx context.Context) ([]string, error) {
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil, fmt.Errorf("reading apt's configuration: running %q: %w", "apt-config dump", err)
	}
	return append(reachOptions(string(dump)),
		`Dir::Etc::netrc "/etc/apt/auth.conf";`, `Dir::Etc::netrcparts "/etc/apt/auth.conf.d";`), nil
}

func reachOptions(dump string) []string {
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

// run shows how far a bootstrap is, and puts what went wrong into the error.
func run(ctx context.Context, w *watcher, args []string, lock *os.File) error {
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
	said := w.failed()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("running mmdebstrap: %w: %s", err, said)
}

// remove deletes a root, some of whose files may belong to other ids, as one
// who may.
func remove(ctx context.Context, enter []string, dir string) error {
	if !pathExists(dir) {
		return nil
	}
	args := append(enter[:len(enter):len(enter)], "rm", "-rf", "--one-file-system", "--", dir)
	if err := try(ctx, args...); err != nil {
		return fmt.Errorf("removing an unfinished root: %w", err)
	}
	return nil
}
