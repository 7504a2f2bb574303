package verify

import (
	"errors"
	"io/fs"
	"syscall"
)

// incomplete marks an error that prevented a check and says nothing about the
// image.
type incomplete struct{ error }

func (e incomplete) Unwrap() error { return e.error }

// Incomplete reports whether an error of [Layout] includes one that prevented a
// check, such as an I/O error, so that it does not show a violation. A file that
// the layout lacks is a violation.
func Incomplete(err error) bool {
	var marked incomplete
	if errors.As(err, &marked) {
		return true
	}
	var path *fs.PathError
	var errno syscall.Errno
	return (errors.As(err, &path) || errors.As(err, &errno)) && !errors.Is(err, fs.ErrNotExist)
}
