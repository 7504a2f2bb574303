package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
	"github.com/hyperkube/hyperkube/versions"
)

// SaveOptions name the images of an archive and its file.
type SaveOptions struct {
	File        string
	Compression archive.Compression
	Platforms   []string        // the one for docker first; none for all
	Repository  string          // replaces the registry of the manifest; "" keeps it
	Images      []string        // of the catalog, by name
	Layouts     []archive.Image // that exist already
}

// Save builds the images of the catalog and writes them and the layouts into one
// file.
func (b *Builder) Save(ctx context.Context, o SaveOptions) (archive.Contents, error) {
	images, names, err := b.resolve(o)
	if err != nil {
		return archive.Contents{}, err
	}
	// Report errors in the layouts before the images are built.
	if len(o.Layouts) > 0 {
		if _, err := archive.New(o.Layouts, o.Platforms); err != nil {
			return archive.Contents{}, err
		}
	}
	waiting := func(holder string) { b.Progress.Logf("waiting for %s, which writes %q", holder, o.File) }
	var saved *archive.Archive
	err = archive.Replace(ctx, o.File, waiting, func(work string, out *os.File) error {
		layouts := slices.Clone(o.Layouts)
		for i, image := range images {
			// All platforms are built, because the digest of the index depends on them.
			dir := filepath.Join(work, strconv.Itoa(i))
			if _, err := b.Build(ctx, image, versions.Platform{}, dir); err != nil {
				return err
			}
			layouts = append(layouts, archive.Image{Name: names[i], Dir: dir})
		}
		var err error
		if saved, err = archive.New(layouts, o.Platforms); err != nil {
			return err
		}
		task := b.Progress.Start("writing "+filepath.Base(o.File), "bytes", saved.Contents.Size)
		if err := saved.Write(ctx, out, o.Compression, task.Add); err != nil {
			task.Fail()
			return err
		}
		task.Done()
		return nil
	})
	if err != nil {
		return archive.Contents{}, err
	}
	return saved.Contents, nil
}

// resolve returns the images of the catalog and their names in the archive.
func (b *Builder) resolve(o SaveOptions) (images []versions.Image, names []string, err error) {
	seen := map[string]bool{}
	for _, layout := range o.Layouts {
		seen[layout.Name] = true
	}
	var errs []error
	for _, name := range o.Images {
		image, err := b.Catalog.Image(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ref := image.Repository + ":" + image.Tag
		if o.Repository != "" {
			ref = o.Repository + "/" + image.Flavor.Repository + ":" + image.Tag
		}
		if seen[ref] {
			errs = append(errs, fmt.Errorf("duplicate image %q", ref))
		}
		seen[ref] = true
		errs = append(errs, archive.CheckName(ref), checkPlatforms(image, o.Platforms))
		images, names = append(images, image), append(names, ref)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, cli.Usage("%w", err)
	}
	return images, names, nil
}

func checkPlatforms(image versions.Image, platforms []string) error {
	var all []string
	for _, b := range image.Builds {
		all = append(all, b.Platform.String())
	}
	for _, p := range platforms {
		if !slices.Contains(all, p) {
			return fmt.Errorf("%s is built for %q, not for %q", image.Name(), all, p)
		}
	}
	return nil
}
