package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/versions"
)

// PushOptions name an image and the destination of a push.
type PushOptions struct {
	Image      string   // by name
	Repository string   // "" for the one of the manifest
	Tags       []string // besides the tag of the image
	Layout     string   // of the image, already built; "" to build it
}

// PushResult is the result of a push.
type PushResult struct {
	Image      string   `json:"image"`
	Repository string   `json:"repository"`
	Digest     string   `json:"digest"`
	Tags       []string `json:"tags"`
}

// Push pushes an image by its digest and then gives it the tags. An image that
// differs from its record is not pushed; the error exits with [cli.ExitDrift].
func (b *Builder) Push(ctx context.Context, o PushOptions) (pushed PushResult, err error) {
	image, err := b.Catalog.Image(o.Image)
	if err != nil {
		return PushResult{}, cli.Usage("%w", err)
	}
	repository := cmp.Or(o.Repository, image.Repository)
	if host, _, _ := strings.Cut(repository, "/"); strings.HasSuffix(host, ".invalid") {
		return PushResult{}, cli.Usage("the registry %q of %s is a placeholder: name a repository with --repository", host, versions.ManifestFile)
	}
	if _, err := name.NewRepository(repository, name.StrictValidation); err != nil {
		return PushResult{}, cli.Usage("--repository: %w", err)
	}
	dir, remove, err := b.layout(ctx, image, o.Layout)
	if err != nil {
		return PushResult{}, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	tags := append([]string{image.Tag}, o.Tags...)
	digest, err := registry.Push(ctx, b.Progress, dir, repository, tags, image.ContentTag)
	if err != nil {
		return PushResult{}, err
	}
	return PushResult{image.Name(), repository, digest.String(), tags}, nil
}

// layout returns a layout of the image that matches its record: the one in dir,
// or a new one in a temporary directory if dir is "".
func (b *Builder) layout(ctx context.Context, image versions.Image, dir string) (_ string, remove func() error, err error) {
	if dir == "" {
		work, err := os.MkdirTemp("", "hyperkube-push-")
		if err != nil {
			return "", nil, fmt.Errorf("creating a temporary directory: %w", err)
		}
		remove, dir = func() error { return os.RemoveAll(work) }, filepath.Join(work, "layout")
		if _, err := b.Build(ctx, image, versions.Platform{}, dir); err != nil {
			return "", nil, errors.Join(err, remove())
		}
		return dir, remove, nil
	}
	if dir, remove, err = layout.Dereference(ctx, dir); err != nil {
		return "", nil, err
	}
	if err := b.checkIndex(image, dir); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return dir, remove, nil
}

// checkIndex checks that a layout has the index of an image. A registry verifies all
// other blobs against it.
func (b *Builder) checkIndex(image versions.Image, dir string) error {
	content, err := layout.Open(dir)
	if err != nil {
		return err
	}
	if content.Index == nil {
		return fmt.Errorf("layout %q: want an index of all platforms, got an image", dir)
	}
	recorded, ok := b.Records[image.Name()]
	if got := content.Digest.String(); ok && got != recorded.Index {
		return driftError(image, fmt.Errorf("layout %q: want index %s, got %s", dir, recorded.Index, got))
	}
	return nil
}
