// Package install implements the install command, which installs programs into
// a directory of the host.
package install

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/component"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/content"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/toolset"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
	exitDrift  = 3 // a program to keep is missing or has another sum
)

// gracePeriod is enough for an open(2) that has begun, and too short to be noticed.
const gracePeriod = 200 * time.Millisecond

// lockTimeout is enough for another run to download its programs.
const lockTimeout = 10 * time.Minute

// Env is the environment of the command.
type Env struct {
	Args     []string // without the name of the command
	Out, Err io.Writer
}

// Run runs the command. It returns an exit code, and an error to print, if any.
func Run(ctx context.Context, finder component.Finder, env Env) (int, error) {
	c, err := parse(env)
	if errors.Is(err, flag.ErrHelp) {
		return 0, nil
	}
	if err != nil {
		return exitUsage, err
	}
	results, err := toolset.Install(ctx, c.plan(finder, env.Err))
	for _, r := range results {
		if r.Target != "" {
			fmt.Fprintf(env.Out, "%s %s -> %s\n", r.Action, r.Name, r.Target)
		} else {
			fmt.Fprintf(env.Out, "%s %s sha256:%s\n", r.Action, r.Name, r.Sum)
		}
	}
	var keep *toolset.KeepError
	switch {
	case errors.As(err, &keep):
		return exitDrift, err
	case err != nil:
		return exitFailed, err
	}
	return 0, nil
}

// plan returns the plan of the command line, with the content of each program.
func (c config) plan(finder component.Finder, messages io.Writer) toolset.Plan {
	fetcher := content.Fetcher{
		FindProgram: findProgram(finder),
		Transport:   content.NewTransport(content.DefaultLimits),
		MaxSize:     content.MaxSize,
		Arch:        runtime.GOARCH,
	}
	p := toolset.Plan{
		Dir: c.dir, Mode: c.mode, Links: c.links, GracePeriod: gracePeriod,
		LockTimeout: lockTimeout,
		OnWait: func(holder string) {
			fmt.Fprintf(messages, "%s: waiting for %s, which installs into %q\n", component.Dispatcher, holder, c.dir)
		},
	}
	for _, r := range c.requests {
		program := toolset.Program{Name: r.name, Sum: r.source.Sum}
		if r.source.Kind != source.Keep {
			program.Content = fetcher.Content(r.name, r.source)
		}
		p.Programs = append(p.Programs, program)
	}
	return p
}

// findProgram returns a function that finds the programs in this image, and the
// dispatcher.
func findProgram(finder component.Finder) func(string) (string, error) {
	return func(name string) (string, error) {
		if name == component.Dispatcher {
			return finder.Path, nil
		}
		path, err := finder.Find(name)
		var notFound *component.NotFoundError
		if errors.As(err, &notFound) {
			err = fmt.Errorf("%w; available: %s", err, finder.Names())
		}
		return path, err
	}
}
