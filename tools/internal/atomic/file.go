// Package atomic replaces files and directories in one step: at every moment the
// old or the new content is at the path, and never a part of it.
package atomic

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces the file with data, flushed to disk, and mode 0644.
func WriteFile(file string, data []byte) error {
	return Write(file, filepath.Dir(file), 0o644, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write replaces the file with the output of write, flushed to disk, and mode
// perm, whatever the umask. The temporary file is in tempDir, on the same file
// system; a killed process leaves it there. An error of write is returned as is.
func Write(file, tempDir string, perm fs.FileMode, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(tempDir, "."+filepath.Base(file)+".")
	if err != nil {
		return fmt.Errorf("writing %q: %w", file, err)
	}
	if err := write(tmp); err != nil {
		return errors.Join(err, tmp.Close(), os.Remove(tmp.Name()))
	}
	err = errors.Join(tmp.Chmod(perm), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("writing %q: %w", file, errors.Join(err, os.Remove(tmp.Name())))
	}
	return nil
}
