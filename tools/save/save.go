package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/versions"
)

func waiting(env cli.Env, file string) func() {
	return func() { fmt.Fprintf(env.Err, "save: waiting for another process that writes %q\n", file) }
}

// save writes the archive; s is nil where no image is of the catalog.
func save(ctx context.Context, env cli.Env, s *fetch.Fetcher, c config) error {
	images, names, err := find(s, c)
	if err != nil {
		return err
	}
	// What can be known to be wrong is told before anything is built.
	if len(c.layouts) > 0 {
		if _, err := archive.New(c.layouts, c.platforms); err != nil {
			return err
		}
	}
	known, err := record.Read(env.Dir)
	if err != nil {
		return err
	}
	var saved *archive.Archive
	err = archive.Replace(ctx, c.out, waiting(env, c.out), func(work string, out *os.File) error {
		layouts := slices.Clone(c.layouts)
		for i, image := range images {
			dir := filepath.Join(work, strconv.Itoa(i))
			if err := build(ctx, s, image, known, dir); err != nil {
				return err
			}
			layouts = append(layouts, archive.Image{Name: names[i], Dir: dir})
		}
		var err error
		if saved, err = archive.New(layouts, c.platforms); err != nil {
			return err
		}
		task := progress.New(env.Err).Start("writing "+filepath.Base(c.out), "bytes", saved.Contents.Size)
		if err := saved.Write(ctx, out, c.compression, task.Add); err != nil {
			task.Fail()
			return err
		}
		task.Done()
		return nil
	})
	if err != nil {
		return err
	}
	show(env.Out, saved.Contents)
	return nil
}

// find finds the images in the catalog, and what they are called. All that can
// be known to be wrong is told before anything is built.
func find(s *fetch.Fetcher, c config) ([]versions.Image, []string, error) {
	seen := map[string]bool{}
	for _, image := range c.layouts {
		seen[image.Name] = true
	}
	var images []versions.Image
	var names []string
	var errs []error
	for _, w := range c.catalog {
		image, err := s.Catalog.Image(w.String())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		name := image.Repository + ":" + image.Tag
		if c.repository != "" {
			name = c.repository + "/" + image.Flavor.Repository + ":" + image.Tag
		}
		if seen[name] {
			errs = append(errs, fmt.Errorf("duplicate image %q", name))
		}
		seen[name] = true
		errs = append(errs, archive.CheckName(name), made(image, c.platforms))
		images, names = append(images, image), append(names, name)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, cli.Usage("%w", err)
	}
	return images, names, nil
}

func made(image versions.Image, platforms []string) error {
	var all []string
	for _, b := range image.Builds {
		all = append(all, b.Platform.String())
	}
	for _, p := range platforms {
		if !slices.Contains(all, p) {
			return fmt.Errorf("%s is made for %q, and not for %q", image.Name(), all, p)
		}
	}
	return nil
}

// build builds an image for all its platforms, which its index needs, and holds
// it to its record.
func build(ctx context.Context, s *fetch.Fetcher, image versions.Image, known record.Records, dir string) error {
	built, err := assemble.Index(ctx, s, image, dir)
	if err != nil {
		return err
	}
	if err := known.Check(image.Name(), built); err != nil {
		return cli.Exit(cli.ExitDrift, fmt.Errorf("the image is not the one on record in %s:\n%w", record.File, err))
	}
	return nil
}
