// Inspect looks into a finished image: every blob's digest, every file's
// sha256, owner and mode, and what the programs in it say of themselves, held
// to versions.yaml, lock.json and images/digests.json.
//
//	go run ./tools/inspect -image rke:v1.36.0-rancher1 -layout FOLDER
//
// For an image that has a base image, its layout is wanted for each platform:
// -base linux/amd64=FOLDER.
//
// Exit codes: 0 as it should be, 1 it could not be read, 2 wrong usage, 3 it is
// not as it should be.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/image/verify"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("inspect", run)) }

func run(ctx context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("inspect", flag.ContinueOnError)
	name := fs.String("image", "", "the `name` it should be, FLAVOR:TAG")
	dir := fs.String("layout", "", "the OCI layout to look into (`folder`)")
	digests := fs.String("digests", record.File, "the `file` with the digests on record")
	bases := map[versions.Platform]string{}
	fs.Func("base", "`PLATFORM=FOLDER`, the OCI layout of its base image for a platform; repeatable", func(s string) error {
		name, dir, _ := strings.Cut(s, "=")
		platform, err := versions.ParsePlatform(name)
		if dir == "" {
			err = errors.Join(err, errors.New("want PLATFORM=FOLDER"))
		}
		bases[platform] = dir
		return err
	})
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *name == "" || *dir == "" {
		return cli.Usage("want -image FLAVOR:TAG and -layout FOLDER")
	}
	image, err := find(*name)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(*digests)
	if err != nil {
		return fmt.Errorf("reading digests: %w", err)
	}
	records, err := record.Parse(raw)
	if err != nil {
		return err
	}
	solid, remove, err := layout.Dereference(ctx, *dir)
	if err != nil {
		return err
	}
	defer remove()
	for platform, dir := range bases {
		base, remove, err := layout.Dereference(ctx, dir)
		if err != nil {
			return err
		}
		defer remove()
		bases[platform] = base
	}
	findings, err := verify.Layout(ctx, solid, image, records, bases)
	for _, f := range findings {
		fmt.Fprintf(env.Out, "%s %s %s\n", f.Platform, f.Path, f.Content)
	}
	if err != nil && ctx.Err() == nil {
		return cli.Exit(cli.ExitDrift, err)
	}
	return err
}

func find(name string) (versions.Image, error) {
	catalog, _, err := versions.Load()
	if err != nil {
		return versions.Image{}, err
	}
	return catalog.Image(name)
}
