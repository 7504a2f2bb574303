package layout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// OpenRegular opens a regular file of at most limit bytes, and returns its size. It
// follows symlinks, of which the layouts and sandboxes of Bazel consist. O_NONBLOCK
// keeps it from blocking on a named pipe.
func OpenRegular(file string, limit int64) (*os.File, int64, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%q is not a regular file", file)
	case info.Size() > limit:
		err = fmt.Errorf("%q: want at most %d bytes, got %d", file, limit, info.Size())
	default:
		return f, info.Size(), nil
	}
	return nil, 0, errors.Join(err, f.Close())
}

// checkLink rejects a file that is a symlink out of dir, which is resolved,
// unless it leads into Bazel's output tree.
func checkLink(dir, file string) error {
	target, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	if strings.HasPrefix(target, dir+string(filepath.Separator)) || inOutputTree(target) {
		return nil
	}
	return fmt.Errorf("refusing to follow the symlink %q out of the layout, to %q", file, target)
}

// inOutputTree reports whether a path is like …/execroot/NAME/bazel-out/….
func inOutputTree(file string) bool {
	elements := strings.Split(filepath.ToSlash(file), "/")
	i := slices.Index(elements, "execroot")
	return i >= 0 && len(elements) > i+3 && elements[i+2] == "bazel-out"
}
