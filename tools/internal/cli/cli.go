// Package cli is the thin shell around every command: signals, streams and
// exit codes. A command is a function; main only names it.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes of every command of this repository.
const (
	ExitFailed = 1 // the work could not be done
	ExitUsage  = 2 // the command line is wrong
	ExitDrift  = 3 // a difference or a violation was found
)

// Env is all that a command may know of the world outside its arguments.
type Env struct {
	Args     []string            // without the command's name
	Getenv   func(string) string // the process environment
	Dir      string              // working directory, absolute
	In       io.Reader
	Out, Err io.Writer
}

// A Command does its work and returns nil, or an error that says what failed.
// The exit code is 1 unless the error carries another one; see [Exit].
type Command func(ctx context.Context, env Env) error

// Exit attaches an exit code to err. A nil err means that everything worth
// saying has been printed already.
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

// Usage is an error with [ExitUsage].
func Usage(format string, args ...any) error {
	return Exit(ExitUsage, fmt.Errorf(format, args...))
}

// Parse reads args into flags. Its error exits with 2, or with 0 after -h, and
// has been printed by the flag set. Arguments that are no flags are an error
// unless the command allows them.
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

// Main runs cmd with the process's own environment and returns its exit code.
// The context ends at SIGINT or SIGTERM.
func Main(name string, cmd Command) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks, the second one kills: not every step can be asked.
	context.AfterFunc(ctx, stop)
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: finding the working directory: %v\n", name, err)
		return ExitFailed
	}
	return Code(name, os.Stderr, cmd(ctx, Env{
		Args: os.Args[1:], Getenv: os.Getenv, Dir: dir,
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	}))
}

// Code prints err, if it has something to say, and returns its exit code.
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
	fmt.Fprintf(w, "%s: %v\n", name, err)
	return code
}
