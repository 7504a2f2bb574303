package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/versions"
)

const (
	tempDir = "tmp"
	// maxResume is the time for which a part of a download is kept.
	maxResume = 7 * 24 * time.Hour
)

// openTemp opens the directory of temporary files, which it creates, and removes
// what killed processes left there.
func (s Store) openTemp() (*os.Root, error) {
	if err := os.MkdirAll(filepath.Join(s.dir, "sha256"), 0o755); err != nil {
		return nil, fmt.Errorf("creating the store: %w", err)
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	defer root.Close()
	if err := root.Mkdir(tempDir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("creating the store: %w", err)
	}
	// Files are removed from it: it must not lead to other directories.
	if info, err := root.Lstat(tempDir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("opening the store: %q is not a directory (%v). Fix: delete it", filepath.Join(s.dir, tempDir), info.Mode().Type())
	}
	dir, err := root.OpenRoot(tempDir)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := s.removeAbandoned(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("removing temporary files from the store: %w", err), dir.Close())
	}
	return dir, nil
}

// openLocked opens and locks a file in the directory of temporary files. It returns
// nil if another process writes it, or has finished or removed it. Without support
// for locks, only a new file is certain to belong to this process.
func openLocked(dir *os.Root, name string, flag int) (*os.File, error) {
	f, err := dir.OpenFile(name, os.O_RDWR|flag, 0o600)
	if err != nil {
		return nil, err
	}
	ok, err := lock(dir, f, name)
	if errors.Is(err, errors.ErrUnsupported) {
		ok, err = flag&os.O_EXCL != 0, nil
	}
	if !ok || err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lock locks a temporary file, and reports whether it still has its name then.
func lock(dir *os.Root, f *os.File, name string) (bool, error) {
	if ok, err := lockfile.TryLock(f); !ok || err != nil {
		return false, err
	}
	opened, err := f.Stat()
	if err != nil {
		return false, err
	}
	now, err := dir.Lstat(name)
	return err == nil && os.SameFile(opened, now), nil
}

// createTemp creates a locked temporary file.
func createTemp(dir *os.Root, d versions.Digest) (f *os.File, name string, err error) {
	for f == nil {
		name = fmt.Sprintf(".%s.%x", d, rand.Uint64())
		if f, err = openLocked(dir, name, os.O_CREATE|os.O_EXCL); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, "", err
		}
	}
	return f, name, nil
}

// commit closes a temporary file and makes it the file with a digest.
func (s Store) commit(dir *os.Root, f *os.File, name string, d versions.Digest) error {
	rename := func() error { return os.Rename(filepath.Join(s.dir, tempDir, name), s.Path(d)) }
	err := errors.Join(f.Chmod(0o644), f.Sync())
	if runtime.GOOS == "windows" { // cannot rename an open file
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		err = rename() // before the lock is released
	}
	if runtime.GOOS != "windows" {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("writing %q: %w", s.Path(d), errors.Join(err, removeIfExists(dir, name)))
	}
	return nil
}

func removeIfExists(dir *os.Root, name string) error {
	err := dir.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeAbandoned removes the files that no process has locked, except parts of
// downloads that can be resumed.
func (s Store) removeAbandoned(dir *os.Root) error {
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		if err := s.removeIfAbandoned(dir, entry); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

var partialName = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (s Store) removeIfAbandoned(dir *os.Root, entry fs.DirEntry) error {
	name := entry.Name()
	if part, ok := strings.CutSuffix(name, validatorSuffix); ok {
		if _, err := dir.Lstat(part); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return dir.Remove(name)
	}
	f, err := dir.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	young := time.Since(info.ModTime()) < maxResume
	if young && partialName.MatchString(name) && info.Size() > 0 && readValidator(dir, name) != "" {
		if _, err := os.Lstat(filepath.Join(s.dir, "sha256", name)); errors.Is(err, fs.ErrNotExist) {
			return nil // without locking it: its download may be about to resume
		}
	}
	switch ok, err := lock(dir, f, name); {
	case errors.Is(err, errors.ErrUnsupported):
		if young {
			return nil // maybe in use
		}
		f.Close()
		return dir.Remove(name)
	case err != nil || !ok:
		return err
	}
	return dir.Remove(name)
}
