// Package verify checks a finished image against the manifest, the lock and the
// recorded digests. It is independent of the packages that build images: it reads
// layouts with package layout, and layers as a container runtime does. Only layers of
// Debian packages are composed again from the packages and compared as a whole.
package verify

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/debian/packagelayer"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// Finding is a verified file, symlink or layer of packages of an image.
type Finding struct {
	Platform versions.Platform `json:"platform"`
	Path     string            `json:"path"`
	Content  string            `json:"content"` // the key of a file's pin, "-> TARGET" of a symlink, or the set of packages
}

// Layout verifies the OCI layout of an image, or of one of its platforms. Bases
// are the layouts of the base image by platform, for an image that has one. The
// error lists all violations. Packages opens the Debian packages of an image that has
// some.
func Layout(ctx context.Context, dir string, image versions.Image, records record.Records, bases map[versions.Platform]string, packages packagelayer.Opener) ([]Finding, error) {
	i := &inspector{image: image, bases: bases, packages: packages, built: record.New("")}
	err := i.checkLayout(ctx, dir)
	if err == nil {
		if err = records.Check(image.Name(), i.built); err != nil {
			err = fmt.Errorf("digests differ from those in %s: %w", record.File, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("verifying %s: %w", image.Name(), err)
	}
	return i.findings, nil
}

// inspector collects the digests and findings of one image.
type inspector struct {
	image    versions.Image
	bases    map[versions.Platform]string
	packages packagelayer.Opener
	built    record.Record
	findings []Finding
}

func (i *inspector) checkLayout(ctx context.Context, dir string) error {
	read, err := layout.Open(dir)
	if err != nil {
		return err
	}
	if read.Index == nil {
		return i.checkSinglePlatform(ctx, read.Image, read.Digest)
	}
	if err := checkDigest(read.Index, read.Digest); err != nil {
		return fmt.Errorf("index %s: %w", read.Digest, err)
	}
	i.built.Index = read.Digest.String()
	if err := i.checkIndex(ctx, read.Index); err != nil {
		return err
	}
	// Package validate does not wrap errors: checkIndex has read its inputs.
	if err := validate.Index(read.Index, validate.Fast); err != nil {
		return fmt.Errorf("index %s: %w", read.Digest, err)
	}
	return nil
}

func (i *inspector) checkSinglePlatform(ctx context.Context, img v1.Image, digest v1.Hash) error {
	config, err := img.ConfigFile()
	if err := errors.Join(checkDigest(img, digest), err); err != nil {
		return err
	}
	if err := validate.Image(img, validate.Fast); err != nil {
		return err
	}
	for _, build := range i.image.Builds {
		if config.OS == build.Platform.OS() && config.Architecture == build.Platform.Arch() {
			return i.checkPlatform(ctx, build, img)
		}
	}
	return fmt.Errorf("unexpected platform %s/%s", config.OS, config.Architecture)
}

func (i *inspector) checkIndex(ctx context.Context, index v1.ImageIndex) error {
	list, err := index.IndexManifest()
	if err != nil {
		return err
	}
	if len(list.Manifests) != len(i.image.Builds) {
		return fmt.Errorf("want %d platforms, got %d", len(i.image.Builds), len(list.Manifests))
	}
	var errs []error
	for n, build := range i.image.Builds {
		desc := list.Manifests[n]
		if p := desc.Platform; p == nil || p.OS != build.Platform.OS() || p.Architecture != build.Platform.Arch() {
			errs = append(errs, fmt.Errorf("manifest %d: want %s, got %v", n, build.Platform, desc.Platform))
			continue
		}
		img, err := index.Image(desc.Digest)
		if err == nil {
			err = checkDigest(img, desc.Digest)
		}
		if err == nil {
			err = i.checkPlatform(ctx, build, img)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (i *inspector) checkPlatform(ctx context.Context, build versions.Build, img v1.Image) error {
	fail := func(err error) error { return fmt.Errorf("%s: %w", build.Platform, err) }
	digest, err1 := img.Digest()
	config, err2 := img.ConfigFile()
	layers, err3 := img.Layers()
	base, err4 := i.base(build)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return fail(err)
	}
	errs := []error{i.checkConfig(config, base.config)}
	if len(layers) != len(base.layers)+len(build.Layers) {
		return fail(fmt.Errorf("want %d layers of the base image and %d more, got %d", len(base.layers), len(build.Layers), len(layers)))
	}
	// The bound of a base layer is for pinned layers: compare the digests first.
	if err := base.checkBaseLayers(layers); err != nil {
		return fail(errors.Join(append(errs, err)...))
	}
	platform := build.Platform.String()
	for n, layer := range layers {
		var diffID v1.Hash
		var err error
		name := fmt.Sprint(n)
		if own := n - len(base.layers); own < 0 {
			diffID, err = checkBlob(ctx, layer, maxBaseLayer, nil)
		} else {
			name = build.Layers[own].Label()
			check := i.checkLayer
			if build.Layers[own].Packages != nil {
				check = i.checkPackages
			}
			diffID, err = check(ctx, build.Platform, build.Layers[own], layer)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("layer %s: %w", name, err))
		}
		i.built.DiffIDs[platform] = append(i.built.DiffIDs[platform], diffID.String())
	}
	i.built.Manifests[platform] = digest.String()
	if err := errors.Join(errs...); err != nil {
		return fail(err)
	}
	return nil
}
