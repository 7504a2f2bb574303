package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// config is what the caller decides.
type config struct {
	workspace string   // the repository
	dir       string   // where Bazel is to start
	setupOnly bool     // stop before Bazel
	args      []string // Bazel's

	cache    string // of all tools
	store    string // of pinned files
	upstream string // a folder of upstream Bazel modules, or nothing

	certificates string // the file that programs are told to trust, or nothing
	home         string // has logins for registries, and the like
	logins       string // the folder of logins, if it is elsewhere

	mirror, securityMirror string // instead of the machine's, or nothing

	log io.Writer
}

func parse(env cli.Env) (config, error) {
	c := config{
		dir:            env.Dir,
		upstream:       env.Getenv("HYPERKUBE_BAZEL_MODULES"),
		certificates:   env.Getenv("SSL_CERT_FILE"),
		home:           env.Getenv("HOME"),
		logins:         env.Getenv("DOCKER_CONFIG"),
		mirror:         env.Getenv("HYPERKUBE_DEBIAN_MIRROR"),
		securityMirror: env.Getenv("HYPERKUBE_DEBIAN_SECURITY_MIRROR"),
		log:            env.Err,
	}
	fs := flag.NewFlagSet("airgap", flag.ContinueOnError)
	fs.StringVar(&c.workspace, "workspace", "", "the `folder` of the repository")
	fs.BoolVar(&c.setupOnly, "setup", false, "set up and stop")
	if err := cli.Parse(fs, env, true); err != nil {
		return c, err
	}
	c.args = fs.Args()
	if c.workspace == "" {
		return c, cli.Usage("-workspace is missing")
	}
	var err error
	if c.workspace, err = filepath.Abs(c.workspace); err != nil {
		return c, fmt.Errorf("finding the workspace: %w", err)
	}
	if c.upstream != "" && !filepath.IsAbs(c.upstream) {
		return c, fmt.Errorf("finding upstream modules: HYPERKUBE_BAZEL_MODULES=%q is not an absolute path", c.upstream)
	}
	if c.cache, err = cachedir.Dir(env.Getenv); err != nil {
		return c, err
	}
	if c.store, err = cachedir.Store(env.Getenv); err != nil {
		return c, err
	}
	return c, nil
}

// path is a path in this command's part of the cache.
func (c config) path(elem ...string) string {
	return filepath.Join(append([]string{c.cache, "bazel"}, elem...)...)
}

// moduleFile is the module file of the repository.
func (c config) moduleFile() string { return filepath.Join(c.workspace, "MODULE.bazel") }
