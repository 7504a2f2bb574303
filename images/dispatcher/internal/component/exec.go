package component

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
)

// Exec replaces this process with the program at path, which keeps the process
// ID and the open files. It returns only on error.
func Exec(path string, args, env []string) error {
	err := syscall.Exec(path, append([]string{filepath.Base(path)}, args...), env)
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		err = fmt.Errorf("%w: not a program for %s/%s", err, runtime.GOOS, runtime.GOARCH)
	case errors.Is(err, syscall.ENOENT):
		err = fmt.Errorf("%w: its interpreter or dynamic loader is missing", err)
	}
	return fmt.Errorf("executing %q: %w", path, err)
}
