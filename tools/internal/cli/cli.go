// Package cli runs commands with signals, streams and exit codes. A command is a
// function, and main only names it.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/hyperkube/hyperkube/tools/internal/redact"
)

// Exit codes of every command of this repository.
const (
	ExitFailed = 1 // the command failed
	ExitUsage  = 2 // the command line is wrong
	ExitDrift  = 3 // a mismatch or a violation was found
)

// Env is the environment of a command.
type Env struct {
	Args     []string            // without the name of the command
	Getenv   func(string) string // the process environment
	Dir      string              // working directory, absolute
	Out, Err io.Writer
}

// Path returns the absolute path of a file or directory of the command line; ""
// stays "".
func (e Env) Path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(e.Dir, name)
}

// A Command is the function of a command. The exit code of its error is
// [ExitFailed] unless [Exit] attached another one.
type Command func(ctx context.Context, env Env) error

// Exit attaches an exit code to err. A nil err exits without a message.
func Exit(code int, err error) error { return &exitError{code, err} }

type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Usage returns an error with [ExitUsage].
func Usage(format string, args ...any) error {
	return Exit(ExitUsage, fmt.Errorf(format, args...))
}

// Parse parses the flags of env.Args. The flag set prints its errors, which exit
// with [ExitUsage], or with 0 after -h. Positional arguments are an error unless
// allowArgs is set.
func Parse(fs *flag.FlagSet, env Env, allowArgs bool) error {
	fs.SetOutput(env.Err)
	switch err := fs.Parse(env.Args); {
	case errors.Is(err, flag.ErrHelp):
		return Exit(0, nil)
	case err != nil:
		return Exit(ExitUsage, nil)
	case !allowArgs && fs.NArg() > 0:
		return Usage("unexpected argument %q", fs.Arg(0))
	}
	return nil
}

// Main runs cmd with the environment of the process and returns its exit code.
// SIGINT and SIGTERM cancel the context.
func Main(name string, cmd Command) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second signal kills, because not every step can be cancelled.
	context.AfterFunc(ctx, stop)
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: finding the working directory: %v\n", name, err)
		return ExitFailed
	}
	return Code(name, os.Stderr, cmd(ctx, Env{
		Args: os.Args[1:], Getenv: os.Getenv, Dir: dir,
		Out: os.Stdout, Err: os.Stderr,
	}))
}

// Code prints err, if it has a message, without the credentials of URLs. It returns
// its exit code.
func Code(name string, w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	code := ExitFailed
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
		if exit.err == nil {
			return code
		}
	}
	fmt.Fprintf(w, "%s: %s\n", name, redact.URLs(err.Error()))
	return code
}
