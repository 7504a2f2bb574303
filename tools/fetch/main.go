// Fetch gets a pinned file and checks it against the lock: out of the store,
// from upstream or a mirror, or built from source. A pinned base image it lays
// out as an OCI layout, out of the store or from its registry or a mirror.
//
//	go run ./tools/fetch -file KEY [-o FILE]
//	go run ./tools/fetch -base IMAGE -platform PLATFORM -o FOLDER
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("fetch", run)) }

type config struct{ file, base, platform, out string }

func run(ctx context.Context, env cli.Env) error {
	var c config
	fs := flag.NewFlagSet("fetch", flag.ContinueOnError)
	fs.StringVar(&c.file, "file", "", "the `name` of the file in the lock: kubernetes/v1.36.0/linux/amd64/kubelet")
	fs.StringVar(&c.base, "base", "", "the `name` of a base image in the lock: registry.example/base@sha256:…")
	fs.StringVar(&c.platform, "platform", "", "the `platform` of the base image: linux/amd64")
	fs.StringVar(&c.out, "o", "", "copy the file to this `path` too, or lay the base image out there")
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if (c.base == "") == (c.file == "") || (c.base == "") != (c.platform == "") {
		return cli.Usage("want -file, or -base and -platform")
	}
	if c.base != "" {
		return base(ctx, env, c)
	}
	return file(ctx, env, c)
}

func file(ctx context.Context, env cli.Env, c config) error {
	key, err := versions.ParseFileKey(c.file)
	if err != nil {
		return cli.Usage("-file: %w", err)
	}
	s, err := fetch.FromEnv(env)
	if err != nil {
		return err
	}
	pin, ok := s.Catalog.Lock.Pin(key)
	if !ok {
		return fmt.Errorf("getting %s: it is not pinned in %s", key, versions.LockFile)
	}
	if err := s.Ensure(ctx, pin); err != nil {
		return err
	}
	if c.out != "" {
		return s.Copy(pin, c.out)
	}
	if err := s.Store.Verify(pin.SHA256); err != nil {
		return s.Explain(pin, err)
	}
	fmt.Fprintln(env.Out, s.Store.Path(pin.SHA256))
	return nil
}

func base(ctx context.Context, env cli.Env, c config) error {
	var key versions.BaseKey
	var err error
	if key.Image, err = versions.ParseImageRef(c.base); err != nil {
		return cli.Usage("-base: %w", err)
	}
	if key.Platform, err = versions.ParsePlatform(c.platform); err != nil {
		return cli.Usage("-platform: %w", err)
	}
	if c.out == "" {
		return cli.Usage("-o: want a folder to lay the base image out in")
	}
	s, err := fetch.FromEnv(env)
	if err != nil {
		return err
	}
	pin, ok := s.Catalog.Lock.Base(key)
	if !ok {
		return fmt.Errorf("getting base image %s: it is not pinned in %s", key, versions.LockFile)
	}
	return assemble.Base(ctx, s, pin, c.out)
}
