package cmd

import (
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every command has a description, two examples of itself, and a description for
// each flag.
func TestHelp(t *testing.T) {
	n := 0
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		n++
		path := c.CommandPath()
		if c.Short == "" {
			t.Errorf("%s: no short description", path)
		}
		if !c.HasSubCommands() {
			examples := 0
			for line := range strings.Lines(c.Example) {
				if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && strings.Contains(" "+line+" ", path+" ") {
					examples++
				}
			}
			if examples < 2 {
				t.Errorf("%s: %d examples, want 2 or more", path, examples)
			}
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: no description of --%s", path, f.Name)
			}
		})
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(root(cli.Env{}))
	if n < 10 {
		t.Errorf("%d commands", n)
	}
}
