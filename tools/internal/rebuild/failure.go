package rebuild

import (
	"errors"
	"os/exec"
	"regexp"
)

// Failure classifies why a job is unbuildable.
type Failure struct {
	// Transient failures may not occur another time or on another machine, so
	// they are not recorded.
	Transient bool
	// MissingDate is the phase whose build date is unknown, or "".
	MissingDate string
}

// isTransient reports whether the error of a command may not occur again: a
// signal ended it, or its output says that the machine lacks a resource.
func isTransient(err error) bool {
	var exit *exec.ExitError
	return !errors.As(err, &exit) || !exit.Exited() || lackOfResources.MatchString(err.Error())
}

var lackOfResources = regexp.MustCompile(`signal: |no space left on device|[Oo]ut of memory|cannot allocate memory|too many open files`)
