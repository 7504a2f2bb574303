package install

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/component"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/toolset"
)

// lockTimeout is enough for another run to download its programs.
const lockTimeout = 10 * time.Minute

var errMissingDir = errors.New("missing --to DIR")

// options are those of several commands.
type options struct {
	dir     string
	changed names
}

// names is a flag that may be repeated.
type names []string

func (n *names) String() string { return strings.Join(*n, " ") }

func (n *names) Set(name string) error {
	*n = append(*n, name)
	return toolset.CheckName(name)
}

// flags returns the flags of all commands. The caller prints errors.
func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("install", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.StringVar(&o.dir, "to", "", "")
	return flags
}

// parse parses the command line of a command without arguments.
func (o *options) parse(flags *flag.FlagSet, args []string) error {
	switch err := flags.Parse(args); {
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q; to install a program of that name, write --to DIR first", flags.Arg(0))
	case o.dir == "":
		return errMissingDir
	}
	return nil
}

func (o options) toolset(messages io.Writer) toolset.Options {
	return toolset.Options{Dir: o.dir, LockTimeout: lockTimeout, OnWait: func(holder string) {
		fmt.Fprintf(messages, "%s: waiting for %s, which uses %q\n", component.Dispatcher, holder, o.dir)
	}}
}
