package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// config holds the flags and the settings from the environment.
type config struct {
	workspace string   // root of the repository
	dir       string   // working directory of Bazel
	setupOnly bool     // do not execute Bazel
	bare      bool     // execute Bazel without the options of the profile
	args      []string // arguments of Bazel

	cache           string // cache directory of all tools
	store           string // directory of pinned files
	upstreamModules string // directory of upstream Bazel modules, or ""

	getenv   func(string) string
	log      io.Writer
	progress *progress.Reporter
}

func parse(env cli.Env) (config, error) {
	c := config{
		dir:             env.Dir,
		upstreamModules: env.Getenv("HYPERKUBE_BAZEL_MODULES"),
		getenv:          env.Getenv,
		log:             env.Err,
		progress:        progress.New(env.Err, env.Getenv),
	}
	fs := flag.NewFlagSet("airgap", flag.ContinueOnError)
	fs.StringVar(&c.workspace, "workspace", "", "root `directory` of the repository")
	fs.BoolVar(&c.setupOnly, "setup", false, "set up Bazel without executing it")
	fs.BoolVar(&c.bare, "bare", false, "execute Bazel without the options of the profile, for tools/onlinetest")
	if err := cli.Parse(fs, env, true); err != nil {
		return c, err
	}
	c.args = fs.Args()
	if c.workspace == "" {
		return c, cli.Usage("missing flag -workspace")
	}
	var err error
	if c.workspace, err = filepath.Abs(c.workspace); err != nil {
		return c, fmt.Errorf("resolving the workspace: %w", err)
	}
	if c.upstreamModules != "" && !filepath.IsAbs(c.upstreamModules) {
		return c, fmt.Errorf("resolving upstream modules: HYPERKUBE_BAZEL_MODULES=%q is not an absolute path", c.upstreamModules)
	}
	if c.cache, err = cachedir.Dir(env.Getenv); err != nil {
		return c, err
	}
	if c.store, err = cachedir.Store(env.Getenv); err != nil {
		return c, err
	}
	// Directories are written to a .bazelrc, where a line break ends the option.
	for _, dir := range []string{c.workspace, c.cache, c.store, c.upstreamModules, env.Getenv("HOME")} {
		if strings.ContainsAny(dir, "\r\n") {
			return c, fmt.Errorf("checking directories: %q contains a line break", dir)
		}
	}
	return c, nil
}

// path returns a path in this command's subdirectory of the cache.
func (c config) path(elem ...string) string {
	return filepath.Join(append([]string{c.cache, "bazel"}, elem...)...)
}

// moduleFile returns the path of the repository's MODULE.bazel.
func (c config) moduleFile() string { return filepath.Join(c.workspace, "MODULE.bazel") }
