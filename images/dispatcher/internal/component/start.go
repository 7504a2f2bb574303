package component

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
)

// Start turns this process into the program at path: process id, signals,
// streams and exit status are the program's from here on. It returns only when
// that cannot be done.
func Start(path string, args, env []string) error {
	err := syscall.Exec(path, append([]string{filepath.Base(path)}, args...), env)
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		err = fmt.Errorf("%w: it is not a program for %s/%s", err, runtime.GOOS, runtime.GOARCH)
	case errors.Is(err, syscall.ENOENT):
		err = fmt.Errorf("%w: the interpreter or loader that it asks for is not there", err)
	}
	return fmt.Errorf("starting %q: %w", path, err)
}
