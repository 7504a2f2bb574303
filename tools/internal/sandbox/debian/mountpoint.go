package debian

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// makeMountPoints creates the mount points of binds in the root, which is
// read-only later. It skips those below a directory in over or below an earlier
// bind, because they are not part of the root.
func (r *Root) makeMountPoints(binds []Bind, over ...string) error {
	root, err := os.OpenRoot(r.Dir())
	if err != nil {
		return err
	}
	defer root.Close()
	for _, b := range binds {
		if !path.IsAbs(b.Dst) || !filepath.IsAbs(b.Src) {
			return fmt.Errorf("binding %q to %q: want absolute paths", b.Src, b.Dst)
		}
		covered := slices.ContainsFunc(over, func(dir string) bool {
			rel, err := filepath.Rel(dir, b.Dst)
			return err == nil && rel != "." && filepath.IsLocal(rel)
		})
		over = append(over, b.Dst)
		if covered {
			continue
		}
		info, err := os.Stat(b.Src)
		if err != nil {
			return fmt.Errorf("binding %q: %w", b.Src, err)
		}
		if err := makeMountPoint(root, strings.TrimPrefix(path.Clean(b.Dst), "/"), info.IsDir()); err != nil {
			return fmt.Errorf("creating the mount point %q: %w", b.Dst, err)
		}
	}
	return nil
}

func makeMountPoint(root *os.Root, name string, dir bool) error {
	if _, err := root.Lstat(name); err == nil {
		return nil
	}
	if dir {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}
