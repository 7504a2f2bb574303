// Package dispatch is the command line of the dispatcher: it executes a
// component, or runs the install command.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/component"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/install"
)

// Exit codes. Once a component is executed, the exit code is the component's;
// 126 and 127 are those of shells.
const (
	exitFailed        = 1
	exitUsage         = 2
	exitNotExecutable = 126 // the component cannot be executed
	exitNotFound      = 127 // there is no such component
)

// Main runs the command line of the process. It returns an exit code, or does
// not return because a component has replaced the process.
func Main() int {
	argv0 := ""
	if len(os.Args) > 0 {
		argv0 = os.Args[0]
	}
	finder, err := component.NewFinder(argv0)
	if err != nil {
		return fail(exitFailed, fmt.Errorf("finding the directory of %s: %w", component.Dispatcher, err))
	}
	name, args, fromArgv0 := finder.SplitArgs(os.Args)
	if !fromArgv0 {
		switch name {
		case "":
			usage(os.Stderr, finder)
			return exitUsage
		case "help", "-h", "-help", "--help":
			usage(os.Stdout, finder)
			return 0
		case "install":
			return runInstall(finder, args)
		}
		if strings.HasPrefix(name, "-") {
			usage(os.Stderr, finder)
			return fail(exitUsage, fmt.Errorf("unknown flag %q: the first argument must be the name of a program", name))
		}
	}
	path, err := finder.Find(name)
	if err == nil {
		err = component.Exec(path, args, os.Environ())
	}
	var notFound *component.NotFoundError
	if errors.As(err, &notFound) {
		return fail(exitNotFound, fmt.Errorf("%w; available: %s", err, finder.Names()))
	}
	return fail(exitNotExecutable, err)
}

// runInstall runs the install command until it is done or interrupted.
func runInstall(finder component.Finder, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal cancels the context, a second one kills the process.
	context.AfterFunc(ctx, stop)
	code, err := install.Run(ctx, finder, install.Env{Args: args, Image: os.Getenv("HYPERKUBE_IMAGE"), Out: os.Stdout, Err: os.Stderr})
	if err == nil {
		return code
	}
	fail(code, err)
	if code == exitUsage {
		fmt.Fprintf(os.Stderr, "See %s install --help.\n", component.Dispatcher)
	}
	return code
}

func fail(code int, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", component.Dispatcher, err)
	return code
}

func usage(w io.Writer, f component.Finder) {
	fmt.Fprintf(w, `Executes one of the programs in this image.

Usage:
  %[1]s NAME [ARGUMENT]...
        Execute the program NAME. apiserver, controller-manager, proxy, scheduler
        and aggregator are short for kube-apiserver and so on.
  NAME [ARGUMENT]...
        The same, through a symlink to %[1]s that is called NAME.
  %[1]s install --to DIR [FLAG]... NAME[=SOURCE]...
        Install programs into a directory of the host. See %[1]s install --help,
        also for the commands install list, install verify and install rollback.

Programs are searched for in %[2]s.
Available programs: %[3]s
`, component.Dispatcher, strings.Join(f.Dirs, ", then "), f.Names())
}
