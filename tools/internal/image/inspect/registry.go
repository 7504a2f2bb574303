package inspect

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/versions"
)

// Registry inspects an image of a registry. The reference has the registry, and a tag
// or a digest.
func Registry(ctx context.Context, ref string, o Options) (Report, error) {
	found, err := registry.Resolve(ctx, ref)
	if err != nil {
		return Report{}, err
	}
	r := root{names: []string{ref}, desc: found.Descriptor}
	return inspectAll(ctx, ref, o, repository{found.Repository, found}, []root{r})
}

// repository is the source of a repository in a registry.
type repository struct {
	name string
	top  registry.Resolved
}

func (r repository) document(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	digest, err := versions.ParseDigest(d.Digest.Hex)
	switch {
	case err != nil:
		return nil, violation{err}
	case d.Digest == r.top.Descriptor.Digest:
		return r.top.Manifest, nil
	case d.MediaType.IsConfig():
		return registry.Config(ctx, r.name, digest, maxDocument)
	}
	return registry.Manifest(ctx, r.name, digest)
}

func (r repository) scan(ctx context.Context, s scanner, d v1.Descriptor) (*layer, error) {
	digest, err := versions.ParseDigest(d.Digest.Hex)
	if err != nil {
		return nil, violation{err}
	}
	content, err := registry.Blob(ctx, r.name, digest)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return s.scan(ctx, content)
}
