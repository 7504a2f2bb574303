// Command sandbox checks the Bazel sandbox that it runs in. It prints every
// leak: access to a network, writable directories of the host, and private files.
//
//	sandbox [-dial]
//
// With -dial it fails like an action that needs a network.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("sandbox", run)) }

func run(ctx context.Context, env cli.Env) error {
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	dialOnly := flags.Bool("dial", false, "fail if there is no route to another host")
	if err := cli.Parse(flags, env, false); err != nil {
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
	dirs := []string{"/", "/usr", "/var/tmp", "/etc"}
	if execroot, _, ok := strings.Cut(env.Dir, "/execroot/"); ok {
		dirs = append(dirs, parents(execroot)...)
		leak, err := sharedMemory()
		if err != nil {
			return nil, err
		}
		leaks = append(leaks, leak...)
	}
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
	return append(leaks, readable(env)...), nil
}

// parents returns a directory and those above it. The ones above the execution root
// of a sandbox are on a writable disk of the host, unless they are in /tmp, which
// belongs to the sandbox. Workers of remote execution have no such directories.
func parents(dir string) []string {
	if strings.HasPrefix(dir, "/tmp/") {
		return nil
	}
	var dirs []string
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		dirs = append(dirs, dir)
	}
	return dirs
}

// sharedMemory reports /dev/shm if it is older than the sandbox, whose first
// process has the PID 1.
func sharedMemory() ([]string, error) {
	shm, err := os.Stat("/dev/shm")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return nil, err
	}
	stat, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return nil, err
	}
	// The name of the program, field 2, may contain blanks.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var boot, start float64
	if _, err := fmt.Sscan(string(uptime), &boot); err != nil {
		return nil, fmt.Errorf("parsing /proc/uptime: %w", err)
	}
	if _, err := fmt.Sscan(fields[19], &start); err != nil {
		return nil, fmt.Errorf("parsing /proc/1/stat: %w", err)
	}
	age := time.Duration((boot - start/100) * float64(time.Second)) // of the sandbox
	if age > 0 && time.Since(shm.ModTime()) > age+time.Second {
		return []string{"directory /dev/shm is the host's"}, nil
	}
	return nil, nil
}

//go:embed private.txt
var private string

// readable lists the private files that can be read.
func readable(env cli.Env) []string {
	home := env.Getenv("HOME")
	if u, err := user.Current(); err == nil {
		home = u.HomeDir // HOME is not set in actions
	}
	var leaks []string
	for _, path := range strings.Fields(private) {
		path = filepath.Join(home, path)
		entries, _ := os.ReadDir(path)
		content, _ := os.ReadFile(path)
		if len(entries)+len(content) > 0 {
			leaks = append(leaks, fmt.Sprintf("%s is readable", path))
		}
	}
	return leaks
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
