package assemble

import (
	"context"

	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// Base writes the layout of a pinned base image, unchanged, to dir.
func Base(ctx context.Context, fetcher *fetch.Fetcher, pin versions.BasePin, dir string) error {
	return replace(ctx, fetcher, dir, func(tmp string) error {
		base, err := fetcher.Base(ctx, pin)
		if err != nil {
			return err
		}
		return oci.WriteBase(tmp, base, fetcher.LayerWriter(ctx))
	})
}
