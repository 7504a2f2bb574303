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

	"github.com/hyperkube/hyperkube/tools/internal/filelock"
)

// Config says where roots are kept and where they come from.
type Config struct {
	Dir string    // holds every root and the packages downloaded for them
	Log io.Writer // is told of what takes long

	// Mirror and SecurityMirror are used instead of the ones in the machine's
	// apt configuration; empty means the machine's.
	Mirror, SecurityMirror string
}

// A Root is a complete Debian system in a folder. It is never changed once it
// stands.
type Root struct {
	dir   string
	enter []string // what a command line needs in front to be root
}

// Package is what dpkg knows of an installed package.
type Package struct{ Name, Version, Architecture string }

// Ensure returns the root of spec and makes it first where it is missing.
// Any number of processes may ask at once, and be killed: a root appears whole
// or not at all.
func Ensure(ctx context.Context, c Config, spec Spec) (*Root, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding the folder of roots %q: %w", c.Dir, err)
	}
	c.Dir = dir
	root := &Root{dir: filepath.Join(c.Dir, spec.name()), enter: privilege()}
	if root.exists() {
		return root, nil
	}
	if err := checkMachine(ctx, root.enter); err != nil {
		return nil, fmt.Errorf("setting up a Debian root in %q: %w", c.Dir, err)
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "debs", "partial"), 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of roots %q: %w", c.Dir, err)
	}
	// One at a time: all of them write to the folder of downloaded packages.
	lock, err := filelock.Acquire(ctx, filepath.Join(c.Dir, "lock"), func() {
		fmt.Fprintf(c.Log, "waiting for another process that sets up a Debian root in %s\n", c.Dir)
	})
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if root.exists() {
		return root, nil
	}
	if err := bootstrap(ctx, c, spec, root, lock); err != nil {
		return nil, fmt.Errorf("setting up a Debian %s root in %q: %w", spec.Suite, c.Dir, err)
	}
	return root, nil
}

// Dir is the folder that holds the root's file system.
func (r *Root) Dir() string { return filepath.Join(r.dir, "rootfs") }

// Name is the root's suite and the hash of its spec.
func (r *Root) Name() string { return filepath.Base(r.dir) }

// Packages lists what is installed, sorted by name.
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
			return nil, fmt.Errorf("listing the packages of a Debian root: %q has the line %q, want name, version and architecture",
				f.Name(), lines.Text())
		}
		all = append(all, Package{fields[0], fields[1], fields[2]})
	}
	return all, lines.Err()
}

func (r *Root) packagesFile() string { return filepath.Join(r.dir, "packages.tsv") }

// exists reports whether the root is there. What is there is whole, since roots
// are built under another name.
func (r *Root) exists() bool {
	_, err := os.Stat(r.packagesFile())
	return err == nil
}

// room is what a root and its packages take at most, with a margin.
const room = 3 << 30

// pathExists reports whether something is at path, which need not be readable.
func pathExists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
