//go:build unix

package lockfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

const (
	exclusive = syscall.LOCK_EX
	shared    = syscall.LOCK_SH
	// noFollow makes opening a symlink fail.
	noFollow = syscall.O_NOFOLLOW
)

// flock acquires a lock, and returns false if another process holds it.
func flock(f *os.File, how int) (bool, error) {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return err == nil, err
		}
	}
}

// protect makes a lock file inaccessible to other users. It is an error if one of
// them owns it: the owner could hold the lock.
func protect(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	dir, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	if owners := []int{0, os.Geteuid(), owner(dir)}; !slices.Contains(owners, owner(info)) {
		return fmt.Errorf("owned by user %d, who does not own its directory. Fix: delete it", owner(info))
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := f.Chmod(0o600); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// owner returns the user ID of the owner of a file.
func owner(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }
