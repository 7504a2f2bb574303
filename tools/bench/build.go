package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/catalog"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// version is the measured version: two binaries for two architectures.
const version = "v1.36.0"

// compareWithCompressor measures building an image layout from pinned files
// against the same compressor on the same bytes, without tar, hashes and output.
func compareWithCompressor(compression versions.Compression) prepareFunc {
	return func(ctx context.Context, env cli.Env, w *workspace) (step, step, error) {
		b, image, err := compressedImage(ctx, env, compression)
		if err != nil {
			return nil, nil, err
		}
		var files []string
		for _, build := range image.Builds {
			for _, l := range build.Layers {
				files = append(files, b.Store.Path(l.Pin.SHA256))
			}
		}
		build := func(ctx context.Context, _ int) (int64, error) {
			_, err := assemble.Image(ctx, b.Fetcher, image, versions.Platform{}, filepath.Join(w.dir, "layout"))
			return 0, err
		}
		compress := func(context.Context, int) (int64, error) { return 0, compressAll(files, compression) }
		return build, compress, nil
	}
}

// compressedImage returns the measured image with another compression. Its files are
// in the store.
func compressedImage(ctx context.Context, env cli.Env, compression versions.Compression) (*catalog.Builder, versions.Image, error) {
	b, err := catalog.Open(env)
	if err != nil {
		return nil, versions.Image{}, err
	}
	image, err := b.Catalog.Image(version)
	if err != nil {
		return nil, image, err
	}
	for _, build := range image.Builds {
		for i := range build.Layers {
			build.Layers[i].Compression = compression
			if err := b.Ensure(ctx, build.Layers[i].Pin); err != nil {
				return nil, image, err
			}
		}
	}
	return b, image, nil
}

func compressAll(files []string, compression versions.Compression) error {
	for _, file := range files {
		in, err := os.Open(file)
		if err != nil {
			return err
		}
		z, err := layer.NewCompressor(io.Discard, compression)
		if err == nil {
			_, err = io.CopyBuffer(z, struct{ io.Reader }{in}, make([]byte, 1<<20))
			err = errors.Join(err, z.Close())
		}
		if err := errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return nil
}
