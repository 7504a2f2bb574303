package install

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/toolset"
)

type config struct {
	options
	mode     fs.FileMode
	image    string // reference of this image, for the record
	requests []request
	links    []toolset.Link
}

// request is one program of the command line.
type request struct {
	name   string
	source source.Source
}

// parse parses the command line.
func parse(env Env) (config, error) {
	var c config
	flags := c.flags()
	flags.StringVar(&c.image, "image", env.Image, "")
	flags.Var(&c.changed, "changed", "")
	mode := flags.String("mode", "0755", "")
	flags.Func("link", "", func(s string) error {
		name, target, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want NAME=TARGET")
		}
		c.links = append(c.links, toolset.Link{Name: name, Target: target})
		return nil
	})
	if err := flags.Parse(env.Args); err != nil {
		return c, err
	}
	bits, err := strconv.ParseUint(*mode, 8, 32)
	if err != nil {
		return c, fmt.Errorf("invalid --mode %q: want octal digits, like 0755", *mode)
	}
	c.mode = fs.FileMode(bits)
	if c.dir == "" {
		return c, errMissingDir
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
	for _, name := range c.changed {
		if !slices.ContainsFunc(c.requests, func(r request) bool { return r.name == name }) &&
			!slices.ContainsFunc(c.links, func(l toolset.Link) bool { return l.Name == name }) {
			errs = append(errs, fmt.Errorf("invalid --changed %q: want a name of the same command", name))
		}
	}
	return errors.Join(append(errs, plan.Check())...)
}
