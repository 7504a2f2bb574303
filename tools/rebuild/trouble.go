package main

import (
	"errors"
	"os/exec"
	"regexp"
)

// trouble says what to think of a reason why something cannot be built.
type trouble struct {
	// passing means that it may go well another time, or on another machine.
	// That is no result.
	passing bool
	// lacks is the phase whose build date is missing.
	lacks string
}

// passing reports whether an error of a program need not come again: it did not
// end by itself, or what it says is that the machine lacks something.
func passing(err error) bool {
	var exit *exec.ExitError
	return !errors.As(err, &exit) || !exit.Exited() || lack.MatchString(err.Error())
}

var lack = regexp.MustCompile(`signal: |no space left on device|[Oo]ut of memory|cannot allocate memory|too many open files`)
