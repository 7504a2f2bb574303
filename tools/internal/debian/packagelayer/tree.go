package packagelayer

import (
	"archive/tar"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// node is a path in the image.
type node struct {
	path     string
	kind     byte // tar.TypeReg, TypeDir or TypeSymlink
	mode     int64
	uid, gid int
	target   string   // of a symlink
	content  *content // of a file
	owner    string   // a package, or a set that declares the path
	set      int      // index of the set
	excluded bool     // a directory that is only in the layer as the parent of others
	alias    bool     // a link of merged usr
}

// attributes describes a directory in messages.
func (n *node) attributes() string {
	return fmt.Sprintf("mode %04o, owner %d:%d", n.mode, n.uid, n.gid)
}

// tree has the paths of all sets. Those of the last set become the layer.
type tree struct {
	nodes    map[string]*node
	owners   map[string]string // declared owners of paths
	declared map[string]bool   // paths of declared directories
	last     int               // index of the last set
}

func newTree(last int) *tree {
	return &tree{nodes: map[string]*node{}, owners: map[string]string{}, declared: map[string]bool{}, last: last}
}

// addSets adds the files of the packages and the declared paths, set by set.
func (t *tree) addSets(l versions.PackageLayer, packages []*pkg) error {
	for i, set := range l.Sets {
		maps.Copy(t.owners, set.Owners)
		for _, d := range set.Directories {
			t.declared[d.Path] = true
		}
		var errs []error
		for _, p := range packages {
			if p.set != i {
				continue
			}
			for _, n := range p.nodes {
				if !n.alias && (!n.excluded || n.kind == tar.TypeDir) {
					errs = append(errs, t.addPackaged(n))
				}
			}
		}
		errs = append(errs, t.addDeclared(set, i, packages), t.addParents(i))
		t.addAliases(i)
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// addPackaged adds a path of a package. Packages can share directories.
func (t *tree) addPackaged(n *node) error {
	old, ok := t.nodes[n.path]
	if !ok {
		t.nodes[n.path] = n
		return nil
	}
	winner := t.owners[n.path]
	switch {
	case winner == n.owner:
		t.nodes[n.path] = n
		return nil
	case winner == old.owner:
		return nil
	case old.kind == tar.TypeDir && n.kind == tar.TypeDir:
		// A declaration of this set replaces the attributes later.
		if t.declared[n.path] || old.mode == n.mode && old.uid == n.uid && old.gid == n.gid {
			return nil
		}
		return fmt.Errorf("directory %s: %s of package %s differs from %s of %s. Fix: declare it in directories",
			n.path, n.attributes(), n.owner, old.attributes(), old.owner)
	}
	return fmt.Errorf("%s is in package %s and in %s. Fix: declare in owners whose it is", n.path, n.owner, old.owner)
}

// addAliases adds the links of merged usr whose directories the set is the first to have.
func (t *tree) addAliases(set int) {
	for _, name := range aliases {
		if dir, ok := t.nodes["/usr/"+name]; ok && t.nodes["/"+name] == nil {
			t.nodes["/"+name] = &node{path: "/" + name, kind: tar.TypeSymlink, mode: 0o777, target: "usr/" + name, owner: dir.owner, set: set, alias: true}
		}
	}
}

// addParents adds the directories that no package has, and checks that all parents are
// directories.
func (t *tree) addParents(set int) error {
	var errs []error
	for _, p := range slices.Sorted(maps.Keys(t.nodes)) {
		n := t.nodes[p]
		for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
			parent, ok := t.nodes[dir]
			if !ok {
				t.nodes[dir] = &node{path: dir, kind: tar.TypeDir, mode: 0o755, owner: n.owner, set: set}
				continue
			}
			if parent.kind != tar.TypeDir {
				errs = append(errs, fmt.Errorf("%s of %s: %s of %s is not a directory", p, n.owner, dir, parent.owner))
			}
			break
		}
	}
	return errors.Join(errs...)
}

// visible returns the paths that the images of all sets have: those that are not
// excluded, and their parents.
func (t *tree) visible() map[string]bool {
	visible := make(map[string]bool, len(t.nodes))
	for p, n := range t.nodes {
		if n.excluded {
			continue
		}
		for ; p != "/" && !visible[p]; p = path.Dir(p) {
			visible[p] = true
		}
	}
	return visible
}

// entries returns the entries of the layer by path.
func (t *tree) entries() []layer.Entry {
	write := map[string]bool{}
	for p, n := range t.nodes {
		if n.set != t.last || n.excluded {
			continue
		}
		for ; p != "/" && !write[p]; p = path.Dir(p) {
			write[p] = true
		}
	}
	entries := make([]layer.Entry, 0, len(write))
	first := map[*content]string{} // paths of the files that hard links refer to
	for _, p := range slices.Sorted(maps.Keys(write)) {
		n := t.nodes[p]
		e := layer.Entry{Path: p, Type: n.kind, Mode: n.mode, UID: n.uid, GID: n.gid, Link: n.target}
		if n.kind == tar.TypeReg {
			if other, ok := first[n.content]; ok {
				e.Type, e.Link = tar.TypeLink, other
			} else {
				first[n.content] = p
				e.Size, e.Content = n.content.size, n.content.reader()
			}
		}
		entries = append(entries, e)
	}
	return entries
}
