package folder

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

// Content is where a program comes from.
type Content interface {
	// String names the place, for errors.
	String() string
	// Sum is the sum that the program must have, or has; nil if that shows only
	// once it was written.
	Sum(ctx context.Context) (*checksum.Sum, error)
	// Write writes the program.
	Write(ctx context.Context, w io.Writer) error
}

// Program is one program of a plan.
type Program struct {
	Name string
	// Content is nil if the program is to be there already.
	Content Content
	// Sum is what a program without content must have; nil for any.
	Sum *checksum.Sum
}

// Link is a name for a program of the same folder.
type Link struct{ Name, Target string }

// Plan says what a folder is to have.
type Plan struct {
	Dir      string
	Mode     fs.FileMode // of programs, permission bits
	Programs []Program
	Links    []Link
	// Waiting is called once if another process is changing the folder.
	Waiting func()
	// Linger is how long the old set is kept after the switch, for those who
	// were on their way into it.
	Linger time.Duration
}

// Action is what was done about a name.
type Action string

// What can be done about a name.
const (
	Installed Action = "installed"
	Unchanged Action = "unchanged"
	Kept      Action = "kept"
	Linked    Action = "linked"
)

// Result says what was done about a name.
type Result struct {
	Name   string
	Action Action
	Sum    checksum.Sum // of a program
	Target string       // of a link, "" of a program
}

// KeepError is the error of a program that is to be there already, and is not,
// or is another one.
type KeepError struct{ error }

func (e *KeepError) Unwrap() error { return e.error }

// maxName is what file systems allow, with room for a suffix.
const maxName = 128

// CheckName tells why a program cannot be called s.
func CheckName(s string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	if s == "" || len(s) > maxName || strings.Trim(s, letters+".+-") != "" || !strings.Contains(letters, s[:1]) {
		return fmt.Errorf("reading name %q: want letters, digits and any of _ . + - behind the first one, %d at most", s, maxName)
	}
	return nil
}

// Check tells all that is wrong with a plan itself, whatever the folder is.
func (p Plan) Check() error {
	var errs []error
	seen := map[string]bool{}
	programs := map[string]bool{}
	check := func(name string) {
		if err := CheckName(name); err != nil {
			errs = append(errs, err)
		} else if seen[name] {
			errs = append(errs, fmt.Errorf("reading name %q: it is there twice", name))
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
			errs = append(errs, fmt.Errorf("reading link %s=%s: %q is none of the programs named; want one (with keep: if it is there)", link.Name, link.Target, link.Target))
		}
	}
	if p.Mode&^0o777 != 0 || p.Mode&0o400 == 0 {
		errs = append(errs, fmt.Errorf("reading mode %#o: want permission bits, readable to the owner, like 0755", uint32(p.Mode)))
	}
	return errors.Join(errs...)
}
