// Command sandbox prints every way out of the sandbox that it finds: networks,
// and folders of the machine that it may write to. Inside a whole sandbox it
// prints nothing.
//
//	sandbox [-dial]
//
// With -dial it fails as an action does that needs a network it has not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("sandbox", run)) }

func run(ctx context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	dialOnly := fs.Bool("dial", false, "open a socket to another machine and fail if that fails")
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *dialOnly {
		return dial(ctx)
	}
	out, err := waysOut(ctx, env)
	if err != nil {
		return err
	}
	for _, way := range out {
		fmt.Fprintln(env.Out, way)
	}
	return nil
}

// waysOut lists what a sandbox must not have.
func waysOut(ctx context.Context, env cli.Env) ([]string, error) {
	var out []string
	links, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing network interfaces: %w", err)
	}
	for _, link := range links {
		if link.Flags&net.FlagLoopback == 0 && link.Flags&net.FlagUp != 0 {
			out = append(out, fmt.Sprintf("the network interface %s is up", link.Name))
		}
	}
	if dial(ctx) == nil {
		out = append(out, "there is a route to another machine")
	}
	folders := append([]string{"/", "/usr", "/var/tmp", "/etc"}, above(env.Dir)...)
	if home := env.Getenv("HOME"); filepath.IsAbs(home) {
		folders = append(folders, home)
	}
	for _, dir := range folders {
		if f, err := os.CreateTemp(dir, "sandbox-"); err == nil {
			out = append(out, fmt.Sprintf("a file can be written to %s", dir))
			if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
				return nil, fmt.Errorf("removing a probe: %w", err)
			}
		}
	}
	return out, nil
}

// above are the folders that a sandbox's own tree lies in. They are on a disk of
// the machine that can be written to.
func above(dir string) []string {
	tree, _, _ := strings.Cut(dir, "/execroot/")
	var folders []string
	for ; tree != filepath.Dir(tree); tree = filepath.Dir(tree) {
		folders = append(folders, tree)
	}
	return folders
}

// dial opens a socket to an address that is kept for documents: no packet is
// sent, the kernel only looks for a way.
func dial(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", "192.0.2.1:9")
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	return conn.Close()
}
