// Package install implements the install command, which installs programs into
// a directory of the host, and lists, verifies and rolls back what is installed.
package install

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/component"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/content"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/imagefile"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/toolset"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
	exitDrift  = 3 // a program is missing or not the expected one
	// exitChanged reports success, and that a program of --changed has changed.
	exitChanged = 4
)

// Env is the environment of the command.
type Env struct {
	Args     []string // without the name of the command
	Image    string   // reference of this image, or ""
	Out, Err io.Writer
}

// Run runs the command. It returns an exit code, and an error to print, if any.
func Run(ctx context.Context, finder component.Finder, env Env) (int, error) {
	run := func(ctx context.Context, env Env) (int, error) { return install(ctx, finder, env) }
	// A program with one of these names comes after the flag --to.
	if len(env.Args) > 0 {
		if command, ok := map[string]func(context.Context, Env) (int, error){
			"list": list, "verify": verify, "rollback": rollback,
		}[env.Args[0]]; ok {
			run, env.Args = command, env.Args[1:]
		}
	}
	code, err := run(ctx, env)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(env.Err, usage, component.Dispatcher)
		return 0, nil
	}
	return code, err
}

func install(ctx context.Context, finder component.Finder, env Env) (int, error) {
	c, err := parse(env)
	if err != nil {
		return exitUsage, err
	}
	results, err := toolset.Install(ctx, c.plan(finder, env.Err))
	return c.report(results, err, env.Out)
}

// report prints results and returns the exit code.
func (o options) report(results []toolset.Result, err error, out io.Writer) (int, error) {
	for _, r := range results {
		switch {
		case r.Target != "":
			fmt.Fprintf(out, "%s %s -> %s\n", r.Action, r.Name, r.Target)
		case r.Sum != checksum.Sum{}:
			fmt.Fprintf(out, "%s %s sha256:%s\n", r.Action, r.Name, r.Sum)
		default:
			fmt.Fprintf(out, "%s %s\n", r.Action, r.Name)
		}
	}
	if err != nil {
		return exitCode(err), err
	}
	for _, name := range o.changed {
		if changed(results, name) {
			return exitChanged, nil
		}
	}
	return 0, nil
}

// changed reports whether the program of a name, or of the target of its symlink,
// has changed.
func changed(results []toolset.Result, name string) bool {
	for _, r := range results {
		if r.Name != name {
			continue
		}
		switch r.Action {
		case toolset.Installed, toolset.Linked, toolset.Restored, toolset.Removed:
			return true
		}
		return r.Target != "" && r.Target != name && changed(results, r.Target)
	}
	return false
}

// exitCode returns the exit code for an error.
func exitCode(err error) int {
	var drift *toolset.DriftError
	if errors.As(err, &drift) {
		return exitDrift
	}
	return exitFailed
}

// plan returns the plan of the command line, with the content of each program.
func (c config) plan(finder component.Finder, messages io.Writer) toolset.Plan {
	fetcher := content.Fetcher{
		FindProgram: findProgram(finder),
		Transport:   content.NewTransport(content.DefaultLimits),
		MaxSize:     content.MaxSize,
		Arch:        runtime.GOARCH,
		ThisImage:   c.image,
	}
	p := toolset.Plan{Options: c.toolset(messages), Mode: c.mode, Links: c.links, Now: time.Now().UTC().Truncate(time.Second)}
	p.Fetch = func(ctx context.Context, jobs []toolset.Job) error {
		var all []content.Job
		for _, job := range jobs {
			all = append(all, content.Job{Content: job.Content.(content.Content), Create: func() (imagefile.Output, error) { return job.Create() }})
		}
		return fetcher.Fetch(ctx, all)
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
