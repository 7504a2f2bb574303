// Package catalog builds, saves and pushes the images of a catalog. Each image is
// compared with its record.
package catalog

import (
	"context"
	"fmt"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// Builder builds the images of a catalog.
type Builder struct {
	*fetch.Fetcher
	Records record.Records
}

// Open returns a builder for the images of the checkout that env.Dir is in, or of
// the embedded catalog. Its Root is "" for the latter.
func Open(env cli.Env) (*Builder, error) {
	d, err := checkout.Open(env.Dir)
	if err != nil {
		return nil, err
	}
	env.Dir = d.Root
	f, err := fetch.New(env, d.Catalog)
	return &Builder{f, d.Records}, err
}

// Build builds an image for one platform, or for all of its platforms if the
// platform is zero, into an OCI layout at dir. If its digests differ from those on
// record, the error exits with [cli.ExitDrift], and the digests are returned too.
func (b *Builder) Build(ctx context.Context, image versions.Image, platform versions.Platform, dir string) (built record.Record, err error) {
	if err := b.fetch(ctx, image, platform); err != nil {
		return record.Record{}, fmt.Errorf("building %s: %w", image.Name(), err)
	}
	task := b.Progress.Start("building "+image.Name(), "", 0)
	if built, err = assemble.Image(ctx, b.Fetcher, image, platform, dir); err != nil {
		task.Fail()
		return record.Record{}, err
	}
	task.Done()
	if err := b.Records.Check(image.Name(), built); err != nil {
		return built, record.DriftError(image.Name(), err)
	}
	return built, nil
}

// files returns the pins of the files in a layer.
func (b *Builder) files(l versions.Layer) []versions.Pin {
	switch {
	case len(l.Symlinks) > 0 || l.Pinned != nil:
		return nil
	case l.Packages == nil:
		return []versions.Pin{l.Pin}
	}
	var pins []versions.Pin
	for _, p := range l.Packages.Pins() {
		pins = append(pins, b.Catalog.Lock.PackageFile(p))
	}
	return pins
}

// fetch fetches the files and base images before the build, so that their progress
// is shown apart from that of the build.
func (b *Builder) fetch(ctx context.Context, image versions.Image, platform versions.Platform) error {
	for _, build := range image.Builds {
		if platform != (versions.Platform{}) && platform != build.Platform {
			continue
		}
		if build.Base != (versions.BasePin{}) {
			if _, err := b.Base(ctx, build.Base); err != nil {
				return err
			}
		}
		for _, l := range build.Layers {
			for _, pin := range b.files(l) {
				if err := b.Ensure(ctx, pin); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
