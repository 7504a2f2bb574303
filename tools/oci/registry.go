package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/exec"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// push has the flags of rules_oci's pushes.
func push(ctx context.Context, env cli.Env) error {
	var dir, repository string
	var tags []string
	fs := flag.NewFlagSet("push", flag.ContinueOnError)
	fs.StringVar(&dir, "layout", "", "the OCI layout to push (`folder`)")
	for _, f := range []string{"repository", "r"} {
		fs.StringVar(&repository, f, "", "the `repository` to push to, with its registry")
	}
	lines(fs, "tags", &tags)
	content := fs.String("content", "", "a `tag` made of what is in the image: where it is there already, nothing is pushed")
	for _, f := range []string{"tag", "t"} {
		fs.Func(f, "a further `tag`; repeatable", func(tag string) error {
			tags = append(tags, tag)
			return nil
		})
	}
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if dir == "" || repository == "" {
		return cli.Usage("want a layout and --repository")
	}
	solid, remove, err := layout.Dereference(ctx, dir)
	if err != nil {
		return err
	}
	defer remove()
	report := progress.New(env.Err)
	var digest v1.Hash
	if *content == "" {
		digest, err = registry.Push(ctx, report, solid, repository, tags)
	} else {
		digest, err = registry.PushIfMissing(ctx, report, solid, repository, tags, *content)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s@%s\n", repository, digest)
	return nil
}

// engines are what an image can be loaded into, in the order of preference.
var engines = []string{"docker", "podman", "nerdctl"}

// load hands an image to the first container engine that is there.
func load(ctx context.Context, env cli.Env) error {
	var refs []string
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	dir := fs.String("layout", "", "the OCI layout to load (`folder`)")
	lines(fs, "tags", &refs)
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	solid, remove, err := layout.Dereference(ctx, *dir)
	if err != nil {
		return err
	}
	defer remove()
	read, err := layout.Open(solid)
	if err != nil {
		return err
	}
	if read.Image == nil {
		return fmt.Errorf("loading layout %q: it has an index; want the image of one platform", *dir)
	}
	if len(refs) == 0 {
		return cli.Usage("want at least one tag to load it by")
	}
	tags := map[name.Tag]v1.Image{}
	for _, ref := range refs {
		tag, err := name.NewTag(ref)
		if err != nil {
			return fmt.Errorf("loading %q: %w", ref, err)
		}
		tags[tag] = read.Image
	}
	for _, engine := range engines {
		path, err := exec.LookPath(engine)
		if err != nil {
			continue
		}
		r, w := io.Pipe()
		written := make(chan error, 1)
		go func() {
			err := tarball.MultiWrite(tags, w)
			written <- err
			w.CloseWithError(err)
		}()
		cmd := exec.CommandContext(ctx, path, "load")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = r, env.Out, env.Err
		err = cmd.Run()
		r.CloseWithError(io.ErrClosedPipe) // an engine that ends early reads no more
		if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
			err = errors.Join(writeErr, err)
		}
		if err != nil {
			return fmt.Errorf("loading into %s: %w", engine, err)
		}
		return nil
	}
	return fmt.Errorf("loading: none of %q is on PATH", engines)
}
