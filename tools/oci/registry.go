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

// push pushes a layout. It has the flags of oci_push of rules_oci.
func push(ctx context.Context, env cli.Env) error {
	var repository string
	var tags []string
	fs := flag.NewFlagSet("oci push", flag.ContinueOnError)
	dir := fs.String("layout", "", "the `directory` of the OCI layout")
	for _, f := range []string{"repository", "r"} {
		fs.StringVar(&repository, f, "", "the `repository` to push to, including the registry")
	}
	linesFlag(fs, "tags", &tags)
	contentTag := fs.String("content-tag", "", "a `tag` derived from the content of the image; if it exists, nothing is pushed")
	for _, f := range []string{"tag", "t"} {
		fs.Func(f, "an additional `tag`; repeatable", func(tag string) error {
			tags = append(tags, tag)
			return nil
		})
	}
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *dir == "" || repository == "" {
		return cli.Usage("want -layout DIR and --repository REPOSITORY")
	}
	resolved, remove, err := layout.Dereference(ctx, *dir)
	if err != nil {
		return err
	}
	defer remove()
	digest, err := registry.Push(ctx, progress.New(env.Err, env.Getenv), resolved, repository, tags, *contentTag)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s@%s\n", repository, digest)
	return nil
}

// engines are the supported container engines in order of preference.
var engines = []string{"docker", "podman", "nerdctl"}

// load loads an image into the first container engine on PATH.
func load(ctx context.Context, env cli.Env) error {
	var refs []string
	fs := flag.NewFlagSet("oci load", flag.ContinueOnError)
	dir := fs.String("layout", "", "the `directory` of the OCI layout")
	linesFlag(fs, "tags", &refs)
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *dir == "" || len(refs) == 0 {
		return cli.Usage("want -layout DIR and at least one tag in -tags FILE")
	}
	resolved, remove, err := layout.Dereference(ctx, *dir)
	if err != nil {
		return err
	}
	defer remove()
	read, err := layout.Open(resolved)
	if err != nil {
		return err
	}
	if read.Image == nil {
		return fmt.Errorf("loading layout %q: want the image of one platform, got an index", *dir)
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
		if err := loadInto(ctx, env, path, tags); err != nil {
			return fmt.Errorf("loading into %s: %w", engine, err)
		}
		return nil
	}
	return fmt.Errorf("loading: none of %q found on PATH", engines)
}

// loadInto streams a tarball of the image to the load command of an engine.
func loadInto(ctx context.Context, env cli.Env, engine string, tags map[name.Tag]v1.Image) error {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := tarball.MultiWrite(tags, w)
		written <- err
		w.CloseWithError(err)
	}()
	cmd := exec.CommandContext(ctx, engine, "load")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r, env.Out, env.Err
	err := cmd.Run()
	r.CloseWithError(io.ErrClosedPipe) // unblocks the writer if the engine exits early
	if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		err = errors.Join(writeErr, err)
	}
	return err
}
