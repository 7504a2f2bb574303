// Package diskspace asks a file system for room, takes folders away, and waits until
// it has what was written.
package diskspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Free is how many bytes may still be written where dir is.
func Free(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("asking for free disk space in %q: %w", dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// CheckFree is an error that says what to do where fewer than want bytes may be
// written.
func CheckFree(dir string, want int64) error {
	free, err := Free(dir)
	if err == nil && free < want {
		err = fmt.Errorf("disk too full: %q has %d MiB free, want %d MiB; make room or set HYPERKUBE_CACHE to a folder on another disk",
			dir, free>>20, want>>20)
	}
	return err
}

// RemoveAll removes a folder in one step: at no time is there one of that name with
// only a part of what belongs in it. What a kill leaves goes with the next one.
func RemoveAll(dir string) error {
	old := dir + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(old)
}

// SyncFS makes everything written to the file system of dir durable. It is for
// trees of many files, of which nobody looks at one again before they count.
func SyncFS(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}
