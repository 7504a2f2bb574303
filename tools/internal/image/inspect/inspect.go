package inspect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/identify"
	"github.com/hyperkube/hyperkube/versions"
)

// Bounds of an image.
const (
	maxDocument  = 4 << 20 // bytes of an index, a manifest or a config
	maxManifests = 1000    // in all indexes
	maxDepth     = 3       // of indexes in indexes
	maxLayers    = 1000
	workers      = 2 // layers at once
)

// source is a place with blobs.
type source interface {
	// document returns the unverified bytes of an index, a manifest or a config.
	document(ctx context.Context, d v1.Descriptor) ([]byte, error)
	// scan scans a layer. The caller compares its digests.
	scan(ctx context.Context, s scanner, d v1.Descriptor) (*layer, error)
}

// root is an image of a source.
type root struct {
	names []string
	desc  v1.Descriptor
	// docker is set for an image of an archive of docker, which has no manifest.
	docker *v1.Manifest
}

// Options of an inspection.
type Options struct {
	Index    *identify.Index
	Platform versions.Platform // zero: all
	All      bool              // list all files
}

func (o Options) scanner() scanner { return scanner{o.Index, o.All, defaultLimits} }

// inspector inspects the images of a source.
type inspector struct {
	Options
	source source
	image  Image

	manifests int
	platforms []*platform
	layers    map[blob]*layer
}

// violation is an error that shows a fault of the image. Other errors prevent a check.
type violation struct{ error }

func (v violation) Unwrap() error { return v.error }

// IsViolation reports whether an error shows a fault of the image or the archive. Other
// errors prevented a check.
func IsViolation(err error) bool {
	var v violation
	return errors.As(err, &v)
}

func violationf(format string, args ...any) error { return violation{fmt.Errorf(format, args...)} }

func inspect(ctx context.Context, o Options, s source, r root) (Image, error) {
	i := &inspector{
		Options: o, source: s, layers: map[blob]*layer{},
		image: Image{Names: r.names, Recorded: []string{}, Platforms: []Platform{}, Violations: []string{}},
	}
	if r.docker == nil {
		i.image.Digest = r.desc.Digest.String()
		i.image.Recorded = o.Index.Recorded(i.image.Digest)
	}
	var err error
	if r.docker != nil {
		err = i.addManifest(ctx, *r.docker, Platform{})
	} else {
		err = i.add(ctx, r.desc, 0)
	}
	if err := i.tolerate(err); err != nil {
		return Image{}, err
	}
	if len(i.platforms) == 0 && len(i.image.Violations) == 0 {
		return Image{}, fmt.Errorf("%s: no image for the platform", i.image.Digest)
	}
	if err := i.scanLayers(ctx); err != nil {
		return Image{}, err
	}
	for _, p := range i.platforms {
		i.finish(p)
	}
	return i.image, nil
}

// tolerate keeps a violation, and returns other errors.
func (i *inspector) tolerate(err error) error {
	var v violation
	if errors.As(err, &v) {
		i.image.Violations = append(i.image.Violations, v.Error())
		return nil
	}
	return err
}

// document returns the verified bytes of a document.
func (i *inspector) document(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	if d.Digest.Algorithm != "sha256" {
		return nil, violationf("want a digest like sha256:…, got %q", d.Digest)
	}
	if d.Size > maxDocument {
		return nil, violationf("%s: want at most %d bytes, got %d", d.Digest, maxDocument, d.Size)
	}
	raw, err := i.source.document(ctx, d)
	if err != nil {
		return nil, err
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(raw)); got != d.Digest.Hex || d.Size > 0 && int64(len(raw)) != d.Size {
		return nil, violationf("%s of %d bytes: got sha256 %s, %d bytes", d.Digest, d.Size, got, len(raw))
	}
	return raw, nil
}

// add adds the platforms of an index or an image. A fault of one manifest does not
// keep the others from being checked.
func (i *inspector) add(ctx context.Context, d v1.Descriptor, depth int) error {
	if i.manifests++; i.manifests > maxManifests {
		return violationf("want at most %d manifests, got more", maxManifests)
	}
	switch {
	case d.MediaType.IsIndex() && depth < maxDepth:
		return i.addIndex(ctx, d, depth)
	case d.MediaType.IsImage():
		raw, err := i.document(ctx, d)
		if err != nil {
			return err
		}
		m, err := v1.ParseManifest(bytes.NewReader(raw))
		if err != nil {
			return violationf("manifest %s: %w", d.Digest, err)
		}
		if !m.Config.MediaType.IsConfig() {
			i.image.Skipped = append(i.image.Skipped, d.Digest.String())
			return nil
		}
		p := Platform{Manifest: d.Digest.String()}
		if d.Platform != nil {
			p.Platform = d.Platform.OS + "/" + d.Platform.Architecture
		}
		return i.addManifest(ctx, *m, p)
	}
	return violationf("%s: want an index or the manifest of an image, got media type %q", d.Digest, d.MediaType)
}

func (i *inspector) addIndex(ctx context.Context, d v1.Descriptor, depth int) error {
	raw, err := i.document(ctx, d)
	if err != nil {
		return err
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return violationf("index %s: %w", d.Digest, err)
	}
	for _, m := range index.Manifests {
		// Attestations of BuildKit have the platform unknown/unknown. Some tools set the
		// artifact type of an image, too: to the media type of its config.
		artifact := m.ArtifactType != "" && !types.MediaType(m.ArtifactType).IsConfig()
		if m.Platform != nil && m.Platform.OS == "unknown" || artifact {
			i.image.Skipped = append(i.image.Skipped, m.Digest.String())
			continue
		}
		if m.Platform != nil && i.Platform != (versions.Platform{}) && m.Platform.OS+"/"+m.Platform.Architecture != i.Platform.String() {
			continue
		}
		if err := i.tolerate(i.add(ctx, m, depth+1)); err != nil {
			return err
		}
	}
	return nil
}

func (i *inspector) addManifest(ctx context.Context, m v1.Manifest, p Platform) error {
	raw, err := i.document(ctx, m.Config)
	if err != nil {
		return err
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err != nil {
		return violationf("config %s: %w", m.Config.Digest, err)
	}
	got := config.OS + "/" + config.Architecture
	switch {
	case i.Platform != (versions.Platform{}) && got != i.Platform.String():
		return nil
	case p.Platform != "" && p.Platform != got:
		return violationf("manifest %s: the index says %s, the config %s", p.Manifest, p.Platform, got)
	case len(m.Layers) != len(config.RootFS.DiffIDs):
		return violationf("manifest %s: %d layers, but %d diffIDs in the config", p.Manifest, len(m.Layers), len(config.RootFS.DiffIDs))
	case len(m.Layers) > maxLayers:
		return violationf("manifest %s: want at most %d layers, got %d", p.Manifest, maxLayers, len(m.Layers))
	}
	p.Platform, p.Config = got, m.Config.Digest.String()
	p.Recorded = i.Index.Recorded(p.Manifest)
	p.SameLayers = i.Index.SameLayers(got, hashes(config.RootFS.DiffIDs))
	p.Files = []File{}
	i.platforms = append(i.platforms, &platform{p, layersOf(m), config.RootFS.DiffIDs})
	return nil
}
