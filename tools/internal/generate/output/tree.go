// Package output brings a folder to a wanted state: all at once or not at all,
// and without touching what others wrote into it.
package output

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/rogpeppe/go-internal/diff"
)

// Tree is a folder of a root whose files are in part ours.
type Tree struct {
	Root   string // absolute
	Dir    string // the folder, one path element below Root
	Header string // the beginning of every file that is ours
}

// Change is what stands between a folder and its wanted state. Paths are from
// the root, with slashes.
type Change struct {
	tree  Tree
	want  map[string][]byte
	write map[string][]byte // new or other bytes
	old   map[string][]byte // what is there now of written and deleted files
	drop  []string
}

// Compare finds the changes that bring the folder to hold the wanted files and
// no other of ours. A file that is in the way and not ours is an error.
func (t Tree) Compare(want map[string][]byte) (*Change, error) {
	c := &Change{tree: t, want: want, write: maps.Clone(want), old: map[string][]byte{}}
	var errs []error
	err := t.walk(func(name string, entry fs.DirEntry) error {
		wanted, ok := want[name]
		if !ok && !strings.HasSuffix(name, ".bazel") {
			return nil // not of a kind that we write
		}
		if !entry.Type().IsRegular() {
			if ok {
				errs = append(errs, fmt.Errorf("writing %q: it is there, and no regular file", name))
			}
			return nil
		}
		is, err := os.ReadFile(filepath.Join(t.Root, name))
		if err != nil {
			return err
		}
		ours := bytes.HasPrefix(is, []byte(t.Header))
		switch {
		case ok && bytes.Equal(is, wanted):
			delete(c.write, name)
		case ok && !ours:
			errs = append(errs, fmt.Errorf("writing %q: it is there, and others wrote it; move it away", name))
		case ok:
			c.old[name] = is
		case ours:
			c.drop = append(c.drop, name)
			c.old[name] = is
		}
		return nil
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return c, nil
}

// Empty says that there is nothing to change.
func (c *Change) Empty() bool { return len(c.write)+len(c.drop) == 0 }

// Count tells how many files are written and deleted.
func (c *Change) Count() (written, deleted int) { return len(c.write), len(c.drop) }

// Diff returns the change as a unified diff.
func (c *Change) Diff() []byte {
	var b bytes.Buffer
	names := append(slices.Collect(maps.Keys(c.write)), c.drop...)
	slices.Sort(names)
	for _, name := range names {
		before, after := "a/"+name, "b/"+name
		if _, ok := c.old[name]; !ok {
			before = "/dev/null"
		}
		if _, ok := c.write[name]; !ok {
			after = "/dev/null"
		}
		b.Write(diff.Diff(before, c.old[name], after, c.write[name]))
	}
	return b.Bytes()
}

// Apply makes the change, or what has become of it since: it looks again when it
// is alone. The folder is built anew beside the old one, with unchanged files as
// links, and the two change places in one step: whoever kills this leaves the
// old folder or the new one.
func (c *Change) Apply(ctx context.Context, waiting func()) error {
	if c.Empty() {
		return nil
	}
	if err := c.apply(ctx, waiting); err != nil {
		return fmt.Errorf("writing %q: %w", c.tree.Dir, err)
	}
	return nil
}

func (c *Change) apply(ctx context.Context, waiting func()) (err error) {
	t := c.tree
	root, err := lockfile.AcquireDir(ctx, t.Root, waiting)
	if err != nil {
		return err
	}
	defer root.Close()
	now, err := t.Compare(c.want)
	if err != nil {
		return err
	}
	// The name is fixed, so that a stage left by a kill is found and removed.
	stage := filepath.Join(t.Root, "."+t.Dir+".new")
	if err := os.RemoveAll(stage); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	if err := now.stage(stage); err != nil {
		return err
	}
	if err := atomic.Exchange(stage, filepath.Join(t.Root, t.Dir)); err != nil {
		return err
	}
	return root.Sync()
}

// stage builds the new folder.
func (c *Change) stage(stage string) error {
	place := func(name string) (string, error) {
		rel, err := filepath.Rel(c.tree.Dir, filepath.FromSlash(name))
		if err != nil {
			return "", err
		}
		to := filepath.Join(stage, rel)
		return to, os.MkdirAll(filepath.Dir(to), 0o755)
	}
	err := c.tree.walk(func(name string, _ fs.DirEntry) error {
		if _, changed := c.old[name]; changed {
			return nil
		}
		to, err := place(name)
		if err != nil {
			return err
		}
		return os.Link(filepath.Join(c.tree.Root, name), to)
	})
	if err != nil {
		return err
	}
	for name, b := range c.write {
		to, err := place(name)
		if err != nil {
			return err
		}
		if err := create(to, b); err != nil {
			return err
		}
	}
	// Once for all: a sync of each of hundreds of files takes seconds.
	return atomic.SyncFS(stage)
}

// create writes a file that must not be there: were it, it would be a link to
// somebody's.
func create(file string, b []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Chmod(0o644), f.Close())
}

// walk visits every entry of the folder that is not a folder itself.
func (t Tree) walk(each func(name string, entry fs.DirEntry) error) error {
	err := filepath.WalkDir(filepath.Join(t.Root, t.Dir), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(t.Root, file)
		if err != nil {
			return err
		}
		return each(filepath.ToSlash(name), entry)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
