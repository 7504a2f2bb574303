// Package program is the dispatcher: it tells its words from the names of
// components.
package program

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

// Exit codes. A component's own take their place once it runs; 126 and 127 are
// what shells say of a command.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitUnusable = 126 // the component is there and cannot be started
	exitAbsent   = 127 // no such component
)

// Main does what the process's command line says. It returns an exit code, or
// does not return, because the process is a component's by then.
func Main() int {
	called := ""
	if len(os.Args) > 0 {
		called = os.Args[0]
	}
	place, err := component.Here(called)
	if err != nil {
		return fail(exitFailed, fmt.Errorf("finding this program: %w", err))
	}
	name, args, isCalled := place.Choose(os.Args)
	if !isCalled {
		switch name {
		case "":
			usage(os.Stderr, place)
			return exitUsage
		case "help", "-h", "-help", "--help":
			usage(os.Stdout, place)
			return 0
		case "install":
			return installed(place, args)
		}
		if strings.HasPrefix(name, "-") {
			usage(os.Stderr, place)
			return fail(exitUsage, fmt.Errorf("reading arguments: want the name of a program first, got %q", name))
		}
	}
	path, err := place.Find(name)
	if err == nil {
		err = component.Start(path, args, os.Environ())
	}
	var absent *component.AbsentError
	if errors.As(err, &absent) {
		return fail(exitAbsent, fmt.Errorf("%w; there are: %s", err, place.Names()))
	}
	return fail(exitUnusable, err)
}

// installed runs the word install with signals as other commands have them.
func installed(place component.Place, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks, the second one kills.
	context.AfterFunc(ctx, stop)
	code, err := install.Run(ctx, place, install.Env{Args: args, Out: os.Stdout, Err: os.Stderr})
	if err != nil {
		return fail(code, err)
	}
	return code
}

func fail(code int, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", component.Word, err)
	return code
}

func usage(w io.Writer, p component.Place) {
	fmt.Fprintf(w, `Starts one of the programs of this image, and becomes it.

  %[1]s NAME [ARGUMENT]...
        start NAME; apiserver, controller-manager, proxy, scheduler and
        aggregator are short for kube-apiserver and so on
  NAME [ARGUMENT]...
        the same, through a link that is called NAME
  %[1]s install -to FOLDER [FLAG]... NAME[=SOURCE]...
        copy programs to a folder of the host; more with -h

Programs are looked for in %[2]s. There are: %[3]s
`, component.Word, strings.Join(p.Folders, " and "), p.Names())
}
