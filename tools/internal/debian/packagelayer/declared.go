package packagelayer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// maxAdded is the bound of an added file in bytes.
const maxAdded = 16 << 20

// add adds a path that a set declares or that this package makes.
func (t *tree) add(n *node) error {
	if !path.IsAbs(n.path) || path.Clean(n.path) != n.path || n.path == "/" {
		return fmt.Errorf("path %q of %s: want a clean, absolute path", n.path, n.owner)
	}
	if p := canonical(n.path); p != n.path {
		return fmt.Errorf("path %s of %s: want %s, because of merged usr", n.path, n.owner, p)
	}
	// An excluded directory can be replaced, by a symlink for example. addParents finds
	// files below it.
	if old, ok := t.nodes[n.path]; ok && !old.excluded && (old.kind != tar.TypeDir || n.kind != tar.TypeDir) {
		return fmt.Errorf("%s of %s is in %s, too", n.path, n.owner, old.owner)
	}
	t.nodes[n.path] = n
	return nil
}

// addText adds a file.
func (t *tree) addText(p, text string, mode int64, owner string, set int) error {
	c := &content{r: strings.NewReader(text), size: int64(len(text))}
	return t.add(&node{path: p, kind: tar.TypeReg, mode: mode, content: c, owner: owner, set: set})
}

// addDeclared adds what a set declares.
func (t *tree) addDeclared(set versions.PackageSet, index int, packages []*pkg) error {
	owner := fmt.Sprintf("set %q", set.Name)
	var errs []error
	for _, d := range set.Directories {
		errs = append(errs, t.add(&node{path: d.Path, kind: tar.TypeDir, mode: d.Mode, uid: d.UID, gid: d.GID, owner: owner, set: index}))
	}
	for _, s := range set.Symlinks {
		errs = append(errs, t.addSymlink(s.Path, s.Target, owner, index))
	}
	for _, f := range set.Files {
		text, err := "", error(nil)
		if f.From != "" && index == t.last {
			text, err = concatenate(f.From, packages)
		}
		if err == nil {
			err = t.addText(f.Path, text+f.Content, f.Mode, owner, index)
		}
		errs = append(errs, err)
	}
	for _, a := range set.Alternatives {
		errs = append(errs, t.addAlternative(a, owner, index))
	}
	return errors.Join(errs...)
}

func (t *tree) addSymlink(p, target, owner string, set int) error {
	return t.add(&node{path: p, kind: tar.TypeSymlink, mode: 0o777, target: target, owner: owner, set: set})
}

// concatenate returns the files of packages that match a pattern, by path, each with
// a newline at its end.
func concatenate(from string, packages []*pkg) (string, error) {
	re, err := compilePattern(from)
	if err != nil {
		return "", err
	}
	var files []*node
	var size int64
	for _, p := range packages {
		for _, n := range p.nodes {
			if n.kind == tar.TypeReg && re.MatchString(n.path) {
				files = append(files, n)
				size += n.content.size
			}
		}
	}
	if len(files) == 0 || size > maxAdded {
		return "", fmt.Errorf("files %q: want files of packages with at most %d bytes, got %d files with %d bytes", from, maxAdded, len(files), size)
	}
	slices.SortStableFunc(files, func(a, b *node) int { return strings.Compare(a.path, b.path) })
	var b strings.Builder
	for _, n := range files {
		if _, err := io.Copy(&b, n.content.reader()); err != nil {
			return "", err
		}
		if text := b.String(); text != "" && !strings.HasSuffix(text, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String(), nil
}
