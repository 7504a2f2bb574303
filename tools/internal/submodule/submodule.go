// Package submodule builds and runs programs of this repository that are Go modules of
// their own, because of their dependencies.
package submodule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// Run builds the program in a directory of the checkout at env.Dir with the host's go
// command, and runs it there with env.Args. The error has the exit code of the program,
// which printed its message. The first build downloads the modules that go.sum names.
func Run(ctx context.Context, env cli.Env, dir string) error {
	cmd, err := start(ctx, env, dir)
	if err != nil {
		return err
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return cli.Exit(exit.ExitCode(), nil)
	}
	if err != nil {
		return fmt.Errorf("running %q: %w", dir, errors.Join(err, context.Cause(ctx)))
	}
	return nil
}

// start builds and starts the program. A lock protects its file until it is started.
func start(ctx context.Context, env cli.Env, dir string) (*exec.Cmd, error) {
	cache, err := cachedir.Dir(env.Getenv)
	if err != nil {
		return nil, err
	}
	cache = filepath.Join(cache, "programs")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	program := filepath.Join(cache, path.Base(dir))
	lock, err := lockfile.Acquire(ctx, program+".lock", lockfile.Wait{Timeout: lockfile.LongTimeout, Notify: func(holder string) {
		fmt.Fprintf(env.Err, "hk: waiting for %s, which builds %s\n", holder, dir)
	}})
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	// A killed build leaves a part of a program, which go may take for an up-to-date
	// one. It never has the name of the program.
	building := program + ".new"
	if err := os.Remove(building); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.Rename(program, building); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(env.Err, "hk: building %s, which takes some minutes once\n", dir)
	} else if err != nil {
		return nil, err
	}
	build := command(ctx, "go", "build", "-o", building, ".")
	build.Dir = filepath.Join(env.Dir, filepath.FromSlash(dir))
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly", "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %q: %w\n%s", dir, err, output)
	}
	if err := os.Rename(building, program); err != nil {
		return nil, err
	}
	cmd := command(ctx, program, env.Args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = env.Dir, env.Out, env.Err
	return cmd, cmd.Start()
}

// command returns a command that the end of the context terminates.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}
