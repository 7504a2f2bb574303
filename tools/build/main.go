// Build makes an image from the lock and the store, without Bazel, and holds
// its digests to those recorded in images/digests.json.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the digests are not those on
// record.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("build", run)) }

type config struct {
	flavor, out string
	version     versions.Version
	platform    versions.Platform // zero: all of the image
	record      bool
}

func run(ctx context.Context, env cli.Env) error {
	c, err := parse(env)
	if err != nil {
		return err
	}
	s, err := fetch.FromEnv(env)
	if err != nil {
		return err
	}
	image, err := find(s.Catalog, c)
	if err != nil {
		return err
	}
	var built record.Record
	if c.platform != (versions.Platform{}) {
		built, err = assemble.Platform(ctx, s, image, c.platform, c.out)
	} else {
		built, err = assemble.Index(ctx, s, image, c.out)
	}
	if err != nil {
		return err
	}
	report(env, image, built)
	return compare(ctx, env, image.Name(), built, c.record)
}

// find returns the image of a flavor and version, whatever its iteration.
func find(catalog *versions.Catalog, c config) (versions.Image, error) {
	for _, image := range catalog.Images {
		if image.Version == c.version && (image.Flavor.Name == c.flavor || c.flavor == "" && image.Flavor == &catalog.Manifest.Flavors[0]) {
			return image, nil
		}
	}
	return catalog.Image(strings.TrimPrefix(c.flavor+":"+c.version.String(), ":"))
}

func report(env cli.Env, image versions.Image, built record.Record) {
	for _, platform := range slices.Sorted(maps.Keys(built.Manifests)) {
		fmt.Fprintf(env.Out, "%s %s manifest %s\n", image.Name(), platform, built.Manifests[platform])
	}
	if built.Index != "" {
		fmt.Fprintf(env.Out, "%s index %s\n", image.Name(), built.Index)
	}
}

func compare(ctx context.Context, env cli.Env, name string, built record.Record, add bool) error {
	known, err := record.Read(env.Dir)
	if err != nil {
		return err
	}
	if err := known.Check(name, built); err != nil {
		return cli.Exit(cli.ExitDrift, fmt.Errorf("the image is not the one on record in %s:\n%w\nA tag on record is never given to another image: go run ./tools/gen says how to go on", record.File, err))
	}
	_, onRecord := known[name]
	switch {
	case onRecord:
		fmt.Fprintf(env.Err, "build: %s is as on record in %s\n", name, record.File)
		return nil
	case !add:
		fmt.Fprintf(env.Err, "build: %s is not on record in %s: nothing to compare it with; -record adds it\n", name, record.File)
		return nil
	}
	return record.Add(ctx, env.Dir, name, built)
}

func parse(env cli.Env) (config, error) {
	var c config
	fs := flag.NewFlagSet("build", flag.ContinueOnError)
	fs.StringVar(&c.flavor, "flavor", "", "the image's `flavor`; without one, the first of versions.yaml")
	fs.StringVar(&c.out, "o", "", "the `folder` to write an OCI layout to")
	fs.BoolVar(&c.record, "record", false, "record the digests in images/digests.json")
	version := fs.String("version", "", "the Kubernetes `version`, like v1.36.0")
	platform := fs.String("platform", "", "build for this `platform` alone, like linux/amd64")
	if err := cli.Parse(fs, env, false); err != nil {
		return c, err
	}
	var err error
	if c.version, err = versions.ParseVersion(*version); err != nil {
		return c, cli.Usage("-version: %w", err)
	}
	if *platform != "" {
		if c.platform, err = versions.ParsePlatform(*platform); err != nil {
			return c, cli.Usage("-platform: %w", err)
		}
	}
	if c.out == "" {
		return c, cli.Usage("-o: want a folder to write to")
	}
	if c.record && *platform != "" {
		return c, cli.Usage("-record: want all platforms, got -platform %s", *platform)
	}
	return c, nil
}
