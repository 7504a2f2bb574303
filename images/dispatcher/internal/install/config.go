package install

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/component"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/folder"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
)

type config struct {
	to    string
	mode  fs.FileMode
	items []item
	links []folder.Link
}

// item is a program that was asked for.
type item struct {
	name   string
	source source.Source
}

var errHelp = errors.New("help was asked for")

func parse(env Env) (config, error) {
	var c config
	flags := flag.NewFlagSet("install", flag.ContinueOnError)
	flags.SetOutput(env.Err)
	flags.StringVar(&c.to, "to", "", "the `folder` to copy to, which must be there")
	mode := flags.String("mode", "0755", "the `permissions` of programs, in octal digits")
	flags.Func("link", "make `NAME=TARGET`, a link to a program that is named, too; may be given again", func(s string) error {
		name, target, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want NAME=TARGET")
		}
		c.links = append(c.links, folder.Link{Name: name, Target: target})
		return nil
	})
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), usage, component.Word)
		flags.PrintDefaults()
	}
	if err := flags.Parse(env.Args); errors.Is(err, flag.ErrHelp) {
		return c, errHelp
	} else if err != nil {
		return c, err
	}
	bits, err := strconv.ParseUint(*mode, 8, 32)
	if err != nil {
		return c, fmt.Errorf("reading -mode %q: want octal digits, like 0755", *mode)
	}
	c.mode = fs.FileMode(bits)
	if c.to == "" {
		return c, errors.New("reading -to: want a folder to copy to")
	}
	if flags.NArg() == 0 {
		return c, errors.New("reading arguments: want names of programs, got none")
	}
	return c, c.read(flags.Args())
}

// read reads the names and sources; it tells all faults at once.
func (c *config) read(args []string) error {
	var errs []error
	plan := folder.Plan{Mode: c.mode, Links: c.links}
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			errs = append(errs, fmt.Errorf("reading argument %q: flags come before names", arg))
			continue
		}
		name, text, _ := strings.Cut(arg, "=")
		from, err := source.Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("reading argument %q: %w", name, err))
		}
		c.items = append(c.items, item{name, from})
		plan.Programs = append(plan.Programs, folder.Program{Name: name})
	}
	return errors.Join(append(errs, plan.Check())...)
}

const usage = `Copies programs to a folder of the host: all of them, or none.

  %s install -to FOLDER [FLAG]... NAME[=SOURCE]...

SOURCE is one of
  (none)                            the program NAME of this image
  keep:                             what the folder has must stay
  /PATH                             a file
  https://HOST/PATH#sha256=SUM      a download
  image:REFERENCE@sha256:SUM!/PATH  a file in an image of a registry
  image:REFERENCE:TAG!/PATH#sha256=SUM
each with #sha256= and the sum of the program behind it, if there is none yet.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 what was to be kept is not there.

`
