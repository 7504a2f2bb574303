package assemble

import (
	"context"

	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// Base lays a pinned base image out at dir, as it is, with files of its own.
func Base(ctx context.Context, s *fetch.Fetcher, pin versions.BasePin, dir string) error {
	return replace(ctx, s, dir, func(stage string) error {
		base, err := s.Base(ctx, pin)
		if err != nil {
			return err
		}
		return oci.WriteBase(stage, base, s.BlobCopier(ctx))
	})
}
