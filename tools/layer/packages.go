package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/debian/packagelayer"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// maxSpec is the bound of a specification in bytes.
const maxSpec = 16 << 20

// writePackages writes a layer of Debian packages. The files of the packages are in
// the order of the specification, and have the sha256 that it names.
func (c config) writePackages(ctx context.Context, out io.Writer) (layer.Descriptor, error) {
	spec, err := readSpec(ctx, c.packages)
	if err != nil {
		return layer.Descriptor{}, fmt.Errorf("reading specification %q: %w", c.packages, err)
	}
	files := map[versions.Digest]string{}
	n := 0
	for _, set := range spec.Sets {
		for _, pin := range set.Packages {
			if n < len(c.debs) {
				files[pin.SHA256] = c.debs[n]
			}
			n++
		}
	}
	if n != len(c.debs) {
		return layer.Descriptor{}, fmt.Errorf("want %d times -deb for the packages in %q, got %d", n, c.packages, len(c.debs))
	}
	return packagelayer.Write(ctx, out, spec, func(_ context.Context, pin versions.PackagePin) (io.ReadCloser, error) {
		return os.Open(files[pin.SHA256])
	}, c.compression)
}

func readSpec(ctx context.Context, file string) (spec versions.PackageLayer, err error) {
	raw, err := ctxio.ReadFile(ctx, file, maxSpec)
	if err != nil {
		return spec, err
	}
	if err := json.Unmarshal(raw, &spec); err != nil {
		return spec, err
	}
	if len(spec.Sets) == 0 {
		return spec, errors.New("no sets")
	}
	return spec, nil
}
