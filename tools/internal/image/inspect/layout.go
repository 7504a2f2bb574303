package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/versions"
)

// Layout inspects all images of an OCI layout.
func Layout(ctx context.Context, dir string, o Options) (Report, error) {
	top, err := layout.ReadIndex(dir)
	if err != nil {
		return Report{}, err
	}
	return inspectAll(ctx, dir, o, directory{dir}, roots(top))
}

// nameKeys are the annotations of an index.json with names of images.
var nameKeys = []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"}

// roots returns the images of an index.json. Those with the same digest are one image
// with several names.
func roots(top v1.IndexManifest) []root {
	var all []root
	for _, d := range top.Manifests {
		r := root{desc: d}
		for _, key := range nameKeys {
			if name := d.Annotations[key]; name != "" {
				r.names = append(r.names, name)
				break
			}
		}
		known := false
		for i := range all {
			if all[i].desc.Digest == d.Digest && all[i].desc.Size == d.Size {
				all[i].names = append(all[i].names, r.names...)
				known = true
			}
		}
		if !known {
			all = append(all, r)
		}
	}
	return all
}

// inspectAll inspects the images of a source.
func inspectAll(ctx context.Context, name string, o Options, s source, roots []root) (Report, error) {
	r := Report{Source: name, Images: []Image{}}
	if len(roots) == 0 {
		return r, fmt.Errorf("%q has no image", name)
	}
	if len(roots) > maxManifests {
		return r, fmt.Errorf("%q: want at most %d images, got %d", name, maxManifests, len(roots))
	}
	for _, root := range roots {
		image, err := inspect(ctx, o, s, root)
		if err != nil {
			return r, fmt.Errorf("reading %q: %w", name, err)
		}
		r.Images = append(r.Images, image)
	}
	return r, nil
}

// directory is the source of a layout.
type directory struct{ dir string }

// open opens a blob. A blob that is missing is a violation.
func (l directory) open(d v1.Descriptor, limit int64) (*os.File, error) {
	digest, err := versions.ParseDigest(d.Digest.Hex)
	if err != nil || d.Digest.Algorithm != "sha256" {
		return nil, violationf("want a digest like sha256:…, got %q", d.Digest)
	}
	f, _, err := layout.OpenRegular(filepath.Join(l.dir, "blobs", "sha256", digest.String()), limit)
	if errors.Is(err, fs.ErrNotExist) {
		err = violation{err}
	}
	return f, err
}

func (l directory) document(_ context.Context, d v1.Descriptor) ([]byte, error) {
	f, err := l.open(d, maxDocument)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxDocument))
}

func (l directory) scan(ctx context.Context, s scanner, d v1.Descriptor) (*layer, error) {
	f, err := l.open(d, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return s.scan(ctx, f)
}
