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

// Archive describes an archive to save.
type Archive struct {
	File        string
	Compression archive.Compression
	Platforms   []string        // the one for docker first; none for all
	Repository  string          // replaces the registry of the manifest; "" keeps it
	Images      []string        // of the catalog, by name
	Layouts     []archive.Image // that exist already
}

// Save builds the images of the catalog and writes them and the layouts into one
// file.
func (b *Builder) Save(ctx context.Context, a Archive) (archive.Contents, error) {
	images, names, err := b.resolve(a)
	if err != nil {
		return archive.Contents{}, err
	}
	// Report errors in the layouts before the images are built.
	if len(a.Layouts) > 0 {
		if _, err := archive.New(a.Layouts, a.Platforms); err != nil {
			return archive.Contents{}, err
		}
	}
	waiting := func() { b.Progress.Logf("waiting for another process that writes %q", a.File) }
	var saved *archive.Archive
	err = archive.Replace(ctx, a.File, waiting, func(work string, out *os.File) error {
		layouts := slices.Clone(a.Layouts)
		for i, image := range images {
			// All platforms are built, because the digest of the index depends on them.
			dir := filepath.Join(work, strconv.Itoa(i))
			if _, err := b.Build(ctx, image, versions.Platform{}, dir); err != nil {
				return err
			}
			layouts = append(layouts, archive.Image{Name: names[i], Dir: dir})
		}
		var err error
		if saved, err = archive.New(layouts, a.Platforms); err != nil {
			return err
		}
		task := b.Progress.Start("writing "+filepath.Base(a.File), "bytes", saved.Contents.Size)
		if err := saved.Write(ctx, out, a.Compression, task.Add); err != nil {
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
func (b *Builder) resolve(a Archive) (images []versions.Image, names []string, err error) {
	seen := map[string]bool{}
	for _, layout := range a.Layouts {
		seen[layout.Name] = true
	}
	var errs []error
	for _, name := range a.Images {
		image, err := b.Catalog.Image(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ref := image.Repository + ":" + image.Tag
		if a.Repository != "" {
			ref = a.Repository + "/" + image.Flavor.Repository + ":" + image.Tag
		}
		if seen[ref] {
			errs = append(errs, fmt.Errorf("duplicate image %q", ref))
		}
		seen[ref] = true
		errs = append(errs, archive.CheckName(ref), checkPlatforms(image, a.Platforms))
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
