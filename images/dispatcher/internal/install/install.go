// Package install is the word that copies programs to a folder of the host.
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/component"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/content"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/folder"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
)

// Exit codes.
const (
	exitFailed = 1 // nothing was changed
	exitUsage  = 2 // the command line is wrong
	exitDrift  = 3 // what was to be kept is not there, or is another program
)

// linger is long for a reader on its way through a link, and short for a
// person.
const linger = 200 * time.Millisecond

// Env is what the word knows of the world outside its arguments.
type Env struct {
	Args     []string // behind the word
	Out, Err io.Writer
}

// Run does what the arguments say. It returns an exit code, and an error where
// there is something to say about it.
func Run(ctx context.Context, place component.Place, env Env) (int, error) {
	c, err := parse(env)
	if errors.Is(err, errHelp) {
		return 0, nil
	}
	if err != nil {
		return exitUsage, err
	}
	results, err := folder.Install(ctx, c.plan(place, env.Err))
	for _, r := range results {
		if r.Target != "" {
			fmt.Fprintf(env.Out, "%s %s -> %s\n", r.Action, r.Name, r.Target)
		} else {
			fmt.Fprintf(env.Out, "%s %s sha256:%s\n", r.Action, r.Name, r.Sum)
		}
	}
	var keep *folder.KeepError
	switch {
	case errors.As(err, &keep):
		return exitDrift, err
	case err != nil:
		return exitFailed, err
	}
	return 0, nil
}

// plan joins what was asked for with where it comes from.
func (c config) plan(place component.Place, messages io.Writer) folder.Plan {
	getter := content.Getter{
		Own:       own(place),
		Transport: content.NewTransport(content.Silence),
		MaxSize:   content.MaxSize,
		Arch:      runtime.GOARCH,
	}
	p := folder.Plan{
		Dir: c.to, Mode: c.mode, Links: c.links, Linger: linger,
		Waiting: func() {
			fmt.Fprintf(messages, "%s: waiting for another run to be done with %q\n", component.Word, c.to)
		},
	}
	for _, item := range c.items {
		program := folder.Program{Name: item.name, Sum: item.source.Sum}
		if item.source.Kind != source.Keep {
			program.Content = getter.Of(item.name, item.source)
		}
		p.Programs = append(p.Programs, program)
	}
	return p
}

// own finds programs of this image, this one among them.
func own(place component.Place) func(string) (string, error) {
	return func(name string) (string, error) {
		if name == component.Word {
			return place.Path, nil
		}
		path, err := place.Find(name)
		var absent *component.AbsentError
		if errors.As(err, &absent) {
			err = fmt.Errorf("%w; there are: %s", err, place.Names())
		}
		return path, err
	}
}
