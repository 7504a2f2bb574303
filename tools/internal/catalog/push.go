package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/versions"
)

// PushOptions name an image and the destination of a push.
type PushOptions struct {
	Image string // by name
	// Repository may be empty for that of the manifest. Tags are besides the tag of
	// the image.
	registry.Push
	Layout string // of the image, already built; "" to build it
	Attach bool   // attach SBOMs and provenance
}

// PushResult is the result of a push.
type PushResult struct {
	Image string `json:"image"`
	registry.Result
}

// Push pushes an image by its digest and then gives it the tags. An image that
// differs from its record is not pushed; the error exits with [cli.ExitDrift]. A
// dry run may have both a result and an error.
func (b *Builder) Push(ctx context.Context, o PushOptions) (_ PushResult, err error) {
	image, err := b.Catalog.Image(o.Image)
	if err != nil {
		return PushResult{}, cli.Usage("%w", err)
	}
	o.Repository = cmp.Or(o.Repository, image.Repository)
	if host, _, _ := strings.Cut(o.Repository, "/"); strings.HasSuffix(host, ".invalid") {
		return PushResult{}, cli.Usage("the registry %q of %s is a placeholder: name a repository with --repository", host, versions.ManifestFile)
	}
	if err := o.Validate(); err != nil {
		return PushResult{}, err
	}
	var built record.Record
	dir := o.Layout
	if dir == "" {
		work, err := os.MkdirTemp("", "hyperkube-push-")
		if err != nil {
			return PushResult{}, fmt.Errorf("creating a temporary directory: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
		dir = filepath.Join(work, "layout")
		if built, err = b.Build(ctx, image, versions.Platform{}, dir); err != nil {
			return PushResult{}, err
		}
	}
	content, err := layout.Open(dir)
	if err != nil {
		return PushResult{}, err
	}
	index, err := content.IndexDigest()
	if err == nil {
		err = b.Records.CheckIndex(image.Name(), index)
	}
	if err != nil {
		return PushResult{}, err
	}
	if o.Attach {
		if o.Referrers, err = b.referrers(ctx, image, built, index); err != nil {
			return PushResult{}, err
		}
	}
	o.Tags = append([]string{image.Tag}, o.Tags...)
	o.ContentTag = image.ContentTag
	result, err := o.Push.Run(ctx, b.Progress, content)
	return PushResult{image.Name(), result}, err
}
