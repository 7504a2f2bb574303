// Command onlinetest tests the online profile of bazelw on a machine that cannot
// reach GitHub or the Bazel Central Registry. A server on loopback answers in their
// place from a snapshot of the registry, git directories of the Bazel modules, Go
// on this machine and the store. See docs/online-test.md.
//
//	go run ./tools/onlinetest -registry DIR -modules DIR
//
// The test runs query, test, build, push, load and save with the commit that is
// checked out and the rules_oci that MODULE.bazel names.
//
// Exit codes: 0 passed, 1 failed, 2 wrong usage, 3 a digest differs from its record,
// or Bazel requested something that it must not request.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("onlinetest", run)) }

type config struct {
	registry string // snapshot of the Bazel Central Registry
	modules  string // git directories of Bazel modules
	store    string // pinned files, which the server serves
	cache    string // cache directory of the airgap profile, which has Bazel
	dir      string // working directory
	timeout  time.Duration
}

// path returns a path in the working directory.
func (c config) path(elem ...string) string {
	return filepath.Join(append([]string{c.dir}, elem...)...)
}

func parse(env cli.Env) (c config, err error) {
	fs := flag.NewFlagSet("onlinetest", flag.ContinueOnError)
	fs.StringVar(&c.registry, "registry", env.Getenv("HYPERKUBE_ONLINE_REGISTRY"), "`directory` of the Bazel Central Registry, a git directory or its files; default $HYPERKUBE_ONLINE_REGISTRY")
	fs.StringVar(&c.modules, "modules", env.Getenv("HYPERKUBE_ONLINE_MODULES"), "`directory` of git directories OWNER+NAME of repositories on GitHub; default $HYPERKUBE_ONLINE_MODULES")
	fs.StringVar(&c.dir, "dir", "", "working `directory` to keep; default a temporary one in the cache directory")
	fs.DurationVar(&c.timeout, "timeout", 2*time.Hour, "`duration` of the whole test")
	if err := cli.Parse(fs, env, false); err != nil {
		return c, err
	}
	if c.registry == "" || c.modules == "" {
		return c, cli.Usage("missing flags: want -registry and -modules; see docs/online-test.md")
	}
	c.registry, c.modules, c.dir = env.Path(c.registry), env.Path(c.modules), env.Path(c.dir)
	if c.cache, err = cachedir.Dir(env.Getenv); err != nil {
		return c, err
	}
	c.store, err = cachedir.Store(env.Getenv)
	return c, err
}

func run(ctx context.Context, env cli.Env) (err error) {
	c, err := parse(env)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if c.dir == "" {
		// Not in /tmp, which is a directory of its own in Bazel's sandbox.
		if err := os.MkdirAll(c.cache, 0o755); err != nil {
			return fmt.Errorf("creating the cache directory: %w", err)
		}
		if c.dir, err = os.MkdirTemp(c.cache, "onlinetest-"); err != nil {
			return fmt.Errorf("creating a working directory: %w", err)
		}
		defer func() { err = errors.Join(err, removeAll(c.dir)) }()
	}
	w, err := newWorkspace(ctx, env, c)
	if err != nil {
		return err
	}
	catalog, err := versions.LoadFrom(os.DirFS(w.checkout))
	if err != nil {
		return err
	}
	s, err := newServer(c, catalog.Lock, env.Err)
	if err != nil {
		return err
	}
	defer s.close()
	if err := w.configure(ctx, s.url); err != nil {
		return err
	}
	defer w.shutdown(ctx)
	err = test(ctx, w, s)
	s.report(env.Out)
	return err
}

// removeAll removes a directory with Bazel's output, which is partly read-only.
func removeAll(dir string) error {
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
