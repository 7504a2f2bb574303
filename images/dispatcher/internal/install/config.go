package install

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/component"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/toolset"
)

type config struct {
	dir      string
	mode     fs.FileMode
	requests []request
	links    []toolset.Link
}

// request is one program of the command line.
type request struct {
	name   string
	source source.Source
}

// parse parses the command line. The error is [flag.ErrHelp] if it asks for help,
// which parse has printed then.
func parse(env Env) (config, error) {
	var c config
	flags := flag.NewFlagSet("install", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints the error
	flags.StringVar(&c.dir, "to", "", "")
	mode := flags.String("mode", "0755", "")
	flags.Func("link", "", func(s string) error {
		name, target, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want NAME=TARGET")
		}
		c.links = append(c.links, toolset.Link{Name: name, Target: target})
		return nil
	})
	flags.Usage = func() {}
	if err := flags.Parse(env.Args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(env.Err, usage, component.Dispatcher)
		}
		return c, err
	}
	bits, err := strconv.ParseUint(*mode, 8, 32)
	if err != nil {
		return c, fmt.Errorf("invalid --mode %q: want octal digits, like 0755", *mode)
	}
	c.mode = fs.FileMode(bits)
	if c.dir == "" {
		return c, errors.New("missing --to DIR")
	}
	if flags.NArg() == 0 {
		return c, errors.New("missing names of programs")
	}
	return c, c.parseRequests(flags.Args())
}

// parseRequests parses names and sources. It reports all errors at once.
func (c *config) parseRequests(args []string) error {
	var errs []error
	plan := toolset.Plan{Mode: c.mode, Links: c.links}
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			errs = append(errs, fmt.Errorf("invalid argument %q: flags must precede names", arg))
			continue
		}
		name, text, _ := strings.Cut(arg, "=")
		from, err := source.Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("invalid argument %q: %w", name, err))
		}
		c.requests = append(c.requests, request{name, from})
		plan.Programs = append(plan.Programs, toolset.Program{Name: name})
	}
	return errors.Join(append(errs, plan.Check())...)
}

const usage = `Installs programs into a directory of the host. The change is atomic: all programs
are replaced at once, or none.

Usage:
  %[1]s install --to DIR [FLAG]... NAME[=SOURCE]...

Examples:
  %[1]s install --to /host kubelet kubectl
  %[1]s install --to /host kubelet=keep: kubectl=https://HOST/kubectl#sha256=SUM

Flags:
  --to DIR            directory to install into; it must exist
  --mode MODE         permissions of the programs, octal (default 0755)
  --link NAME=TARGET  create a symlink NAME to the program TARGET, one of the
                      names of this command; may be repeated

Sources:
  (none)                                the program NAME in this image
  keep:                                 the installed program; fail if it is missing
  /PATH or ./PATH                       a file
  https://HOST/PATH#sha256=SUM          a download
  image:REFERENCE@sha256:DIGEST!/PATH   a file in an image of a registry
  image:REFERENCE:TAG!/PATH#sha256=SUM  the same, by tag
Every source accepts #sha256= and the SHA-256 of the program.

Exit codes:
  0  success
  1  failed
  2  wrong usage
  3  a program to keep is missing or has another SHA-256
`
