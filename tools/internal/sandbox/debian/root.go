package debian

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Config says where roots are stored and which mirrors they come from.
type Config struct {
	Dir      string    // directory of all roots and of downloaded packages, an absolute path
	Log      io.Writer // receives the errors of commands
	Progress *progress.Reporter

	// Getenv returns environment variables. HYPERKUBE_DEBIAN_MIRROR and
	// HYPERKUBE_DEBIAN_SECURITY_MIRROR override the mirrors in the host's apt
	// configuration.
	Getenv func(string) string
}

// Root is a complete Debian system in a directory. It is immutable once
// created.
type Root struct{ dir string }

// Package is an installed package, as dpkg reports it.
type Package struct{ Name, Version, Architecture string }

// Ensure returns the root of spec and creates it if it is missing. A root is
// created atomically: processes may call Ensure concurrently and may be killed.
func Ensure(ctx context.Context, c Config, spec Spec) (*Root, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	root := &Root{filepath.Join(c.Dir, spec.name())}
	if root.exists() {
		return root, nil
	}
	if err := checkHost(ctx); err != nil {
		return nil, fmt.Errorf("creating a Debian root in %q: %w", c.Dir, err)
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "debs", "partial"), 0o755); err != nil {
		return nil, fmt.Errorf("creating the directory of roots %q: %w", c.Dir, err)
	}
	// One lock for all roots, because they share the directory of downloaded
	// packages.
	lock, err := lockfile.Acquire(ctx, filepath.Join(c.Dir, "lock"), lockfile.Wait{Timeout: lockfile.LongTimeout, Notify: func(holder string) {
		c.Progress.Logf("waiting for %s, which creates a Debian root in %s", holder, c.Dir)
	}})
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if root.exists() {
		return root, nil
	}
	if err := bootstrap(ctx, c, spec, root, lock); err != nil {
		return nil, fmt.Errorf("creating a Debian %s root in %q: %w", spec.Suite, c.Dir, err)
	}
	return root, nil
}

// Dir returns the directory of the root's file system.
func (r *Root) Dir() string { return filepath.Join(r.dir, "rootfs") }

// Name returns the suite and the hash of the spec.
func (r *Root) Name() string { return filepath.Base(r.dir) }

// Packages lists the installed packages, sorted by name.
func (r *Root) Packages() ([]Package, error) {
	text, err := os.ReadFile(r.packagesFile())
	if err != nil {
		return nil, fmt.Errorf("listing the packages of a Debian root: %w", err)
	}
	var all []Package
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("listing the packages of a Debian root: %q: got line %q, want name, version and architecture",
				r.packagesFile(), line)
		}
		all = append(all, Package{fields[0], fields[1], fields[2]})
	}
	return all, nil
}

func (r *Root) packagesFile() string { return filepath.Join(r.dir, "packages.tsv") }

// exists reports whether the root was created. It is then complete, since roots
// are built under a temporary name.
func (r *Root) exists() bool {
	_, err := os.Stat(r.packagesFile())
	return err == nil
}
