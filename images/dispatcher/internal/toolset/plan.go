package toolset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// Content is the content of a program.
type Content interface {
	// String returns the source of the program, for errors.
	String() string
	// Source returns the source of the program, for the record of the set.
	Source() string
	// Sum returns the expected sum of the program, or nil if it is unknown before
	// the program was written. A local file of that size may be read.
	Sum(ctx context.Context, size int64) (*checksum.Sum, error)
}

// Job writes the content of a program to an output.
type Job struct {
	Content Content
	Create  func() (Output, error)
}

// Output is the file of a program. Either Commit or Discard ends it.
type Output interface {
	io.Writer
	// Commit verifies the sum and syncs the file to disk.
	Commit() error
	Discard() error
}

// Program is one program of a plan.
type Program struct {
	Name string
	// Content is nil for a program to keep, which must exist.
	Content Content
	// Sum is the expected sum of a program to keep; nil for any.
	Sum *checksum.Sum
}

// Link is a symlink to a program of the same directory.
type Link struct{ Name, Target string }

// Options are those of all functions that access a directory.
type Options struct {
	Dir string
	// LockTimeout is the maximum time to wait for other runs; 0 for no maximum.
	LockTimeout time.Duration
	// OnWait is called once if another process, which holder describes, holds the
	// lock of the directory.
	OnWait func(holder string)
}

// Plan is the desired state of a directory.
type Plan struct {
	Options
	Mode     fs.FileMode // of programs, permission bits
	Programs []Program
	Links    []Link
	Now      time.Time // the time of the run, for the record of the set
	// Fetch does jobs, in parallel. On success one output of each job is committed
	// and all others are discarded.
	Fetch func(ctx context.Context, jobs []Job) error
}

// Action is the outcome for one name.
type Action string

// Actions.
const (
	Installed Action = "installed"
	Unchanged Action = "unchanged"
	Kept      Action = "kept"
	Linked    Action = "linked"
	Restored  Action = "restored" // by a rollback
	Removed   Action = "removed"  // by a rollback
	Skipped   Action = "skipped"  // by a rollback: the directory has another file
)

// Result is the outcome for one name.
type Result struct {
	Name   string
	Action Action
	Sum    checksum.Sum // of a program
	Target string       // of a link, "" of a program
}

// DriftError reports a program that is not the expected one.
type DriftError struct{ error }

func (e *DriftError) Unwrap() error { return e.error }

// maxNameLength is the maximum length of a name, half of that of file systems.
const maxNameLength = 128

// CheckName validates the name of a program.
func CheckName(s string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	if s == "" || len(s) > maxNameLength || strings.Trim(s, letters+".+-") != "" || !strings.Contains(letters, s[:1]) {
		return fmt.Errorf("invalid name %q: want letters, digits, _ and, after the first character, . + -, at most %d in all", s, maxNameLength)
	}
	return nil
}

// Check validates a plan, without its directory. It reports all errors at once.
func (p Plan) Check() error {
	var errs []error
	seen := map[string]bool{}
	programs := map[string]bool{}
	check := func(name string) {
		if err := CheckName(name); err != nil {
			errs = append(errs, err)
		} else if seen[name] {
			errs = append(errs, fmt.Errorf("duplicate name %q", name))
		}
		seen[name] = true
	}
	for _, program := range p.Programs {
		check(program.Name)
		programs[program.Name] = true
	}
	for _, link := range p.Links {
		check(link.Name)
		if !programs[link.Target] {
			errs = append(errs, fmt.Errorf("invalid link %s=%s: target is not one of the programs; add %[2]s, or %[2]s=keep: if it is installed", link.Name, link.Target))
		}
	}
	if p.Mode&^0o777 != 0 || p.Mode&0o400 == 0 {
		errs = append(errs, fmt.Errorf("invalid mode %#o: want permission bits, readable by the owner, like 0755", uint32(p.Mode)))
	}
	return errors.Join(errs...)
}
