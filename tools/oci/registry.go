package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/hyperkube/hyperkube/tools/internal/cas"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/versions"
)

// push pushes a layout like hk push. Bazel runs this program, because hk embeds the
// lock and so changes with every version.
func push(ctx context.Context, env cli.Env) (rerr error) {
	var p registry.Push
	fs := flag.NewFlagSet("oci push", flag.ContinueOnError)
	dir := fs.String("layout", "", "the `directory` of the OCI layout")
	image := fs.String("image", "", "the `name` of the image, FLAVOR:TAG, to compare with the digests on record")
	digests := fs.String("digests", "", "the `file` with the digests on record")
	for _, f := range []string{"repository", "r"} {
		fs.StringVar(&p.Repository, f, "", "the `repository` to push to, including the registry")
	}
	for _, f := range []string{"tag", "t"} {
		fs.Func(f, "a `tag`; repeatable", func(tag string) error {
			p.Tags = append(p.Tags, tag)
			return nil
		})
	}
	fs.StringVar(&p.ContentTag, "content-tag", "", "a `tag` derived from the content of the image; if it exists for this image, nothing is pushed")
	address := fs.String("cas", "", "the `URL` of a remote cache, for layers that neither the layout nor the repository has: grpc, grpcs, http or https")
	fs.BoolVar(&p.Force, "force", false, "move tags that exist with another digest")
	fs.BoolVar(&p.DryRun, "dry-run", false, "print which blobs, manifests and tags would be sent, and send nothing")
	asJSON := fs.Bool("json", false, "print the result as JSON")
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *dir == "" || p.Repository == "" {
		return cli.Usage("want -layout DIR and --repository REPOSITORY")
	}
	if (*image == "") != (*digests == "") {
		return cli.Usage("want both -image NAME and -digests FILE, or neither")
	}
	var fetched []string
	if *address != "" {
		client, err := cas.New(*address)
		if err != nil {
			return cli.Usage("-cas: %w", err)
		}
		tmp, err := os.MkdirTemp("", "hyperkube-push-")
		if err != nil {
			return fmt.Errorf("creating a temporary directory: %w", err)
		}
		defer func() { rerr = errors.Join(rerr, os.RemoveAll(tmp)) }()
		fetched = []string{tmp}
		p.Fetch = func(ctx context.Context, desc v1.Descriptor) error {
			digest, err := versions.ParseDigest(desc.Digest.Hex)
			if err == nil {
				err = client.Fetch(ctx, digest, desc.Size, filepath.Join(tmp, digest.String()))
			}
			if err != nil {
				return fmt.Errorf("%w\nFix: push without --//tools/oci:cas, so that Bazel provides the layers", err)
			}
			return nil
		}
	}
	content, err := layout.Open(*dir, fetched...)
	if err != nil {
		return err
	}
	if *image != "" {
		if err := checkRecord(ctx, *digests, *image, content); err != nil {
			return err
		}
	}
	result, err := p.Run(ctx, progress.New(env.Err, env.Getenv), content)
	if result.Digest == "" {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(env.Out)
		e.SetIndent("", " ")
		return errors.Join(err, e.Encode(result))
	}
	result.Print(env.Out)
	return err
}

// checkRecord compares a layout with the record of an image.
func checkRecord(ctx context.Context, file, image string, content layout.Content) error {
	raw, err := ctxio.ReadFile(ctx, file, record.MaxSize)
	if err != nil {
		return fmt.Errorf("reading digests: %w", err)
	}
	records, err := record.Parse(raw)
	if err != nil {
		return err
	}
	index, err := content.IndexDigest()
	if err != nil {
		return err
	}
	return records.CheckIndex(image, index)
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
	read, err := layout.Open(*dir)
	if err != nil {
		return err
	}
	if read.Image == nil {
		return fmt.Errorf("loading layout %q: want the image of one platform, got an index", *dir)
	}
	if err := read.Verify(ctx); err != nil {
		return err
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
