// Package verify looks into a finished image and holds all that is in it to
// the manifest, the lock and the record of digests. It shares no code with what
// builds images: layouts are read by another library, layers as any client
// would.
package verify

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// Finding is a file or symlink that was found as it should be.
type Finding struct {
	Platform versions.Platform
	Path     string
	What     string // the pin's key, or the target of a symlink
}

// Layout inspects the OCI layout of an image, or of one of its platforms. Of an
// image that has one, the layouts of its base image are wanted, too, by
// platform. The error has every fault.
func Layout(ctx context.Context, dir string, image versions.Image, records record.Records, bases map[versions.Platform]string) ([]Finding, error) {
	l := &look{image: image, bases: bases, built: record.Record{Manifests: map[string]string{}, DiffIDs: map[string][]string{}}}
	if err := l.layout(ctx, dir); err != nil {
		return nil, fmt.Errorf("inspecting %s: %w", image.Name(), err)
	}
	if err := records.Check(image.Name(), l.built); err != nil {
		return nil, fmt.Errorf("inspecting %s: it is not the one on record in %s: %w", image.Name(), record.File, err)
	}
	return l.findings, nil
}

type look struct {
	image    versions.Image
	bases    map[versions.Platform]string
	built    record.Record
	findings []Finding
}

func (l *look) layout(ctx context.Context, dir string) error {
	read, err := layout.Open(dir)
	if err != nil {
		return err
	}
	if read.Index == nil {
		return l.alone(ctx, read.Image, read.Digest)
	}
	if err := errors.Join(named(read.Index, read.Digest), validate.Index(read.Index, validate.Fast)); err != nil {
		return fmt.Errorf("index %s: %w", read.Digest, err)
	}
	l.built.Index = read.Digest.String()
	return l.index(ctx, read.Index)
}

// alone inspects the image of a single platform.
func (l *look) alone(ctx context.Context, img v1.Image, digest v1.Hash) error {
	if err := errors.Join(named(img, digest), validate.Image(img, validate.Fast)); err != nil {
		return err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	for _, build := range l.image.Builds {
		if config.OS == build.Platform.OS() && config.Architecture == build.Platform.Arch() {
			return l.platform(ctx, build, img)
		}
	}
	return fmt.Errorf("it is for %s/%s, which the image is not made for", config.OS, config.Architecture)
}

func (l *look) index(ctx context.Context, index v1.ImageIndex) error {
	list, err := index.IndexManifest()
	if err != nil {
		return err
	}
	if len(list.Manifests) != len(l.image.Builds) {
		return fmt.Errorf("want %d platforms, got %d", len(l.image.Builds), len(list.Manifests))
	}
	var errs []error
	for i, build := range l.image.Builds {
		entry := list.Manifests[i]
		if p := entry.Platform; p == nil || p.OS != build.Platform.OS() || p.Architecture != build.Platform.Arch() {
			errs = append(errs, fmt.Errorf("manifest %d: want %s, got %v", i, build.Platform, entry.Platform))
			continue
		}
		img, err := index.Image(entry.Digest)
		if err == nil {
			err = named(img, entry.Digest)
		}
		if err == nil {
			err = l.platform(ctx, build, img)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (l *look) platform(ctx context.Context, build versions.Build, img v1.Image) error {
	fail := func(err error) error { return fmt.Errorf("%s: %w", build.Platform, err) }
	digest, err := img.Digest()
	if err != nil {
		return fail(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return fail(err)
	}
	layers, err := img.Layers()
	if err != nil {
		return fail(err)
	}
	base, err := l.base(build)
	if err != nil {
		return fail(err)
	}
	errs := []error{l.config(config, base.config)}
	if len(layers) != len(base.layers)+len(build.Layers) {
		return fail(fmt.Errorf("want %d layers of the base and %d more, got %d", len(base.layers), len(build.Layers), len(layers)))
	}
	for i, layer := range layers {
		diffID, err := whole(ctx, layer)
		if err != nil {
			return fail(fmt.Errorf("layer %d: %w", i, err))
		}
		l.built.DiffIDs[build.Platform.String()] = append(l.built.DiffIDs[build.Platform.String()], diffID.String())
	}
	errs = append(errs, base.under(layers))
	for i, layer := range layers[len(base.layers):] {
		if err := l.layer(ctx, build.Platform, build.Layers[i], layer); err != nil {
			errs = append(errs, fmt.Errorf("layer %s: %w", build.Layers[i].Label(), err))
		}
	}
	l.built.Manifests[build.Platform.String()] = digest.String()
	if err := errors.Join(errs...); err != nil {
		return fail(err)
	}
	return nil
}
