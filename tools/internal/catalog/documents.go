package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/image/provenance"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/tools/internal/image/sbom"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/slsa"
	"github.com/hyperkube/hyperkube/versions"
)

// SBOM returns the bill of materials of an image for one platform, or that of the index
// if the platform is zero.
func (b *Builder) SBOM(ctx context.Context, format sbom.Format, image versions.Image, platform versions.Platform) ([]byte, error) {
	d, err := b.describe(ctx, image)
	if err != nil {
		return nil, err
	}
	return d.sbom(ctx, format, platform)
}

// Provenance returns the SLSA provenance of an image for one platform, or that of the
// index if the platform is zero.
func (b *Builder) Provenance(ctx context.Context, image versions.Image, platform versions.Platform) ([]byte, error) {
	d, err := b.describe(ctx, image)
	if err != nil {
		return nil, err
	}
	return d.provenance(platform)
}

// referrers returns the documents of an image's manifests and of its index, which must
// have the digest. Built has the digests if the image was built, and is zero otherwise.
func (b *Builder) referrers(ctx context.Context, image versions.Image, built record.Record, index string) ([]registry.Referrer, error) {
	d := newDescription(b, image, built)
	if built.Index == "" {
		var err error
		if d, err = b.describe(ctx, image); err != nil {
			return nil, err
		}
	}
	if d.digests.Index != index {
		return nil, fmt.Errorf("describing %s: want an index %s, got %s. Fix: build the image again", image.Name(), d.digests.Index, index)
	}
	var all []registry.Referrer
	add := func(platform versions.Platform) error {
		subject, err := d.digest(platform)
		if err != nil {
			return err
		}
		bom, err1 := d.sbom(ctx, sbom.SPDX, platform)
		statement, err2 := d.provenance(platform)
		all = append(all,
			registry.Referrer{Subject: subject, MediaType: sbom.MediaType, File: "sbom.spdx.json", Content: bom},
			registry.Referrer{
				Subject: subject, MediaType: slsa.MediaType, File: "provenance.intoto.json", Content: statement,
				Annotations: map[string]string{"in-toto.io/predicate-type": slsa.PredicateType},
			})
		return errors.Join(err1, err2)
	}
	for _, build := range image.Builds {
		if err := add(build.Platform); err != nil {
			return nil, err
		}
	}
	return all, add(versions.Platform{})
}

// description is an image with its digests. The contents are read once.
type description struct {
	*Builder
	image    versions.Image
	digests  record.Record
	contents map[versions.Platform]sbom.Contents
}

func newDescription(b *Builder, image versions.Image, digests record.Record) *description {
	return &description{b, image, digests, map[versions.Platform]sbom.Contents{}}
}

// describe returns the digests of an image: those on record, or of a build.
func (b *Builder) describe(ctx context.Context, image versions.Image) (_ *description, err error) {
	d := newDescription(b, image, b.Records[image.Name()])
	if d.digests.Inputs == image.InputHash().String() {
		return d, nil
	}
	work, err := os.MkdirTemp("", "hyperkube-describe-")
	if err != nil {
		return nil, fmt.Errorf("creating a temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	d.digests, err = b.Build(ctx, image, versions.Platform{}, filepath.Join(work, "layout"))
	return d, err
}

// digest returns the digest of a manifest, or of the index if the platform is zero.
func (d *description) digest(platform versions.Platform) (string, error) {
	digest := d.digests.Index
	if platform != (versions.Platform{}) {
		digest = d.digests.Manifests[platform.String()]
	}
	if digest == "" {
		return "", fmt.Errorf("describing %s for %s: unsupported platform", d.image.Name(), platform)
	}
	return digest, nil
}

func (d *description) provenance(platform versions.Platform) ([]byte, error) {
	digest, err := d.digest(platform)
	if err != nil {
		return nil, err
	}
	var rebuilt results.Results
	raw, err := checkout.Data{Root: d.Root}.ReadFile(results.File)
	switch {
	case errors.Is(err, fs.ErrNotExist): // nothing was rebuilt
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w", results.File, err)
	default:
		if rebuilt, err = results.Parse(results.File, raw); err != nil {
			return nil, err
		}
	}
	return provenance.Statement(d.Catalog, rebuilt, d.image, platform, digest)
}

func (d *description) sbom(ctx context.Context, format sbom.Format, platform versions.Platform) ([]byte, error) {
	digest, err := d.digest(platform)
	if err != nil {
		return nil, err
	}
	if platform != (versions.Platform{}) {
		digest = ""
	}
	var all []sbom.Platform
	for _, build := range d.image.Builds {
		if platform != (versions.Platform{}) && platform != build.Platform {
			continue
		}
		if _, ok := d.contents[build.Platform]; !ok {
			task := d.Progress.Start("reading "+d.image.Name()+" for "+build.Platform.String(), "", 0)
			if d.contents[build.Platform], err = sbom.Read(ctx, d, d.Catalog, build); err != nil {
				task.Fail()
				return nil, fmt.Errorf("describing %s: %w", d.image.Name(), err)
			}
			task.Done()
		}
		all = append(all, sbom.Platform{Digest: d.digests.Manifests[build.Platform.String()], Contents: d.contents[build.Platform]})
	}
	return sbom.Document(format, d.image, digest, all)
}
