// Command sandbox checks the Bazel sandbox that it runs in. It prints every
// leak: access to a network, and writable directories of the host.
//
//	sandbox [-dial]
//
// With -dial it fails like an action that needs a network.
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
	dialOnly := fs.Bool("dial", false, "fail if there is no route to another host")
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *dialOnly {
		return dial(ctx)
	}
	leaks, err := sandboxLeaks(ctx, env)
	if err != nil {
		return err
	}
	for _, leak := range leaks {
		fmt.Fprintln(env.Out, leak)
	}
	return nil
}

// sandboxLeaks lists everything reachable that a sandbox must hide.
func sandboxLeaks(ctx context.Context, env cli.Env) ([]string, error) {
	var leaks []string
	links, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing network interfaces: %w", err)
	}
	for _, link := range links {
		if link.Flags&net.FlagLoopback == 0 && link.Flags&net.FlagUp != 0 {
			leaks = append(leaks, fmt.Sprintf("network interface %s is up", link.Name))
		}
	}
	if dial(ctx) == nil {
		leaks = append(leaks, "another host can be reached")
	}
	dirs := append([]string{"/", "/usr", "/var/tmp", "/etc"}, parents(env.Dir)...)
	if home := env.Getenv("HOME"); filepath.IsAbs(home) {
		dirs = append(dirs, home)
	}
	for _, dir := range dirs {
		if f, err := os.CreateTemp(dir, "sandbox-"); err == nil {
			leaks = append(leaks, fmt.Sprintf("directory %s is writable", dir))
			if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
				return nil, fmt.Errorf("removing a temporary file: %w", err)
			}
		}
	}
	return leaks, nil
}

// parents returns the directories above the execution root of a sandbox. They
// are on a writable disk of the host.
func parents(dir string) []string {
	parent, _, _ := strings.Cut(dir, "/execroot/")
	var dirs []string
	for ; parent != filepath.Dir(parent); parent = filepath.Dir(parent) {
		dirs = append(dirs, parent)
	}
	return dirs
}

// dial connects a UDP socket to an address reserved for documentation. No packet
// is sent; the kernel only looks up a route.
func dial(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", "192.0.2.1:9")
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	return conn.Close()
}
