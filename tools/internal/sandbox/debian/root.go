package debian

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// Config says where roots are stored and which mirrors they come from.
type Config struct {
	Dir string    // directory of all roots and of downloaded packages
	Log io.Writer // receives the errors of commands

	Progress *progress.Reporter // nil for lines to Log

	// Mirror and SecurityMirror override the mirrors in the host's apt
	// configuration, unless empty.
	Mirror, SecurityMirror string
}

// Root is a complete Debian system in a directory. It is immutable once
// created.
type Root struct {
	dir   string
	enter []string // command prefix that makes the caller root
}

// Package is an installed package, as dpkg reports it.
type Package struct{ Name, Version, Architecture string }

// Ensure returns the root of spec and creates it if it is missing. A root is
// created atomically: processes may call Ensure concurrently and may be killed.
func Ensure(ctx context.Context, c Config, spec Spec) (*Root, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Progress == nil {
		c.Progress = progress.New(c.Log, nil)
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("resolving the directory of roots %q: %w", c.Dir, err)
	}
	c.Dir = dir
	root := &Root{dir: filepath.Join(c.Dir, spec.name()), enter: rootPrefix()}
	if root.exists() {
		return root, nil
	}
	if err := checkHost(ctx, root.enter); err != nil {
		return nil, fmt.Errorf("creating a Debian root in %q: %w", c.Dir, err)
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "debs", "partial"), 0o755); err != nil {
		return nil, fmt.Errorf("creating the directory of roots %q: %w", c.Dir, err)
	}
	// One lock for all roots, because they share the directory of downloaded
	// packages.
	lock, err := lockfile.Acquire(ctx, filepath.Join(c.Dir, "lock"), func() {
		c.Progress.Logf("waiting for another process that creates a Debian root in %s", c.Dir)
	})
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
	f, err := os.Open(r.packagesFile())
	if err != nil {
		return nil, fmt.Errorf("listing the packages of a Debian root: %w", err)
	}
	defer f.Close()
	var all []Package
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("listing the packages of a Debian root: %q: got line %q, want name, version and architecture",
				f.Name(), lines.Text())
		}
		all = append(all, Package{fields[0], fields[1], fields[2]})
	}
	return all, lines.Err()
}

func (r *Root) packagesFile() string { return filepath.Join(r.dir, "packages.tsv") }

// exists reports whether the root was created. It is then complete, since roots
// are built under a temporary name.
func (r *Root) exists() bool {
	_, err := os.Stat(r.packagesFile())
	return err == nil
}

// requiredSpace is an upper bound, in bytes, of a root and its packages.
const requiredSpace = 3 << 30

// pathExists reports whether path exists, readable or not.
func pathExists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
