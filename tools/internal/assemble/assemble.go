// Package assemble builds images from the lock and the store without Bazel. The
// digests are the same as those of the Bazel rules.
package assemble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/debian/packagelayer"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// Image builds the OCI layout of an image at dir: an index of all its platforms, or
// the image of one platform unless that is zero. It replaces an existing layout, and
// refuses to overwrite anything else.
func Image(ctx context.Context, fetcher *fetch.Fetcher, image versions.Image, platform versions.Platform, dir string) (record.Record, error) {
	builds := image.Builds
	if platform != (versions.Platform{}) {
		builds = slices.DeleteFunc(slices.Clone(builds), func(b versions.Build) bool { return b.Platform != platform })
		if len(builds) == 0 {
			return record.Record{}, fmt.Errorf("building %s for %s: unsupported platform", image.Name(), platform)
		}
	}
	built := record.New(image.InputHash().String())
	err := replace(ctx, fetcher, dir, func(tmp string) error {
		var images []oci.Image
		for _, build := range builds {
			composed, err := buildPlatform(ctx, fetcher, image, build, tmp, built)
			if err != nil {
				return err
			}
			images = append(images, composed)
		}
		if platform != (versions.Platform{}) {
			return oci.WriteImage(tmp, images[0], fetcher.LayerWriter(ctx))
		}
		index := oci.Index(images)
		built.Index = index.Digest
		return oci.WriteIndex(tmp, index, images, fetcher.LayerWriter(ctx))
	})
	return built, err
}

// Base writes the layout of a pinned base image, unchanged, at dir, like [Image].
func Base(ctx context.Context, fetcher *fetch.Fetcher, pin versions.BasePin, dir string) error {
	return replace(ctx, fetcher, dir, func(tmp string) error {
		base, err := fetcher.Base(ctx, pin)
		if err != nil {
			return err
		}
		return oci.WriteImage(tmp, base.Image(), fetcher.LayerWriter(ctx))
	})
}

// buildPlatform writes the layers of one platform to dir, composes the image and
// records its digests.
func buildPlatform(ctx context.Context, fetcher *fetch.Fetcher, image versions.Image, build versions.Build, dir string, built record.Record) (oci.Image, error) {
	platform := build.Platform.String()
	fail := func(err error) (oci.Image, error) {
		return oci.Image{}, fmt.Errorf("building %s for %s: %w", image.Name(), platform, err)
	}
	f := image.Flavor
	spec := oci.ImageSpec{
		OS: build.Platform.OS(), Arch: build.Platform.Arch(),
		Entrypoint: f.Entrypoint, Cmd: f.Cmd, Env: f.Env, Labels: image.Labels,
		User: f.User, WorkingDir: f.WorkingDir,
	}
	if build.Base != (versions.BasePin{}) {
		var err error
		if spec.Base, err = fetcher.Base(ctx, build.Base); err != nil {
			return fail(err)
		}
	}
	for _, l := range build.Layers {
		d, err := writeLayer(ctx, fetcher, l, dir)
		if err != nil {
			return fail(err)
		}
		spec.Layers = append(spec.Layers, oci.Layer{Descriptor: d, Label: l.Label()})
	}
	composed, err := oci.Compose(spec)
	if err != nil {
		return fail(err)
	}
	built.Manifests[platform] = composed.Manifest.Digest
	for _, l := range composed.Layers {
		built.DiffIDs[platform] = append(built.DiffIDs[platform], l.DiffID)
	}
	return composed, nil
}

func writeLayer(ctx context.Context, fetcher *fetch.Fetcher, l versions.Layer, dir string) (layer.Descriptor, error) {
	if err := oci.MakeDirs(dir); err != nil {
		return layer.Descriptor{}, err
	}
	tmp, err := os.CreateTemp(dir, "layer-")
	if err != nil {
		return layer.Descriptor{}, err
	}
	d, err := writeContent(ctx, fetcher, l, tmp)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return layer.Descriptor{}, err
	}
	return d, os.Rename(tmp.Name(), oci.BlobPath(dir, d.Digest))
}

func writeContent(ctx context.Context, fetcher *fetch.Fetcher, l versions.Layer, w io.Writer) (layer.Descriptor, error) {
	switch {
	case l.Packages != nil:
		return packagelayer.Write(ctx, w, *l.Packages, fetcher.OpenPackage, l.Compression)
	case len(l.Symlinks) > 0:
		return layer.Write(ctx, w, l.Compression, layer.Symlinks(l.Symlinks)...)
	case l.Pinned != nil:
		content := l.PinsFile()
		return layer.Write(ctx, w, l.Compression, layer.Entry{Path: l.Path, Mode: l.Mode, Size: int64(len(content)), Content: bytes.NewReader(content)})
	}
	content, size, err := fetcher.Open(ctx, l.Pin)
	if err != nil {
		return layer.Descriptor{}, err
	}
	defer content.Close()
	return layer.Write(ctx, w, l.Compression, layer.Entry{Path: l.Path, Mode: l.Mode, Size: size, Content: content})
}

// replace writes a layout to a temporary directory and then replaces dir atomically.
func replace(ctx context.Context, fetcher *fetch.Fetcher, dir string, write func(tmp string) error) error {
	dir = filepath.Clean(dir)
	if err := checkReplaceable(dir); err != nil {
		return fmt.Errorf("writing %q: %w", dir, err)
	}
	waiting := func(holder string) { fetcher.Progress.Logf("waiting for %s, which writes %q", holder, dir) }
	var writeErr error
	err := atomic.Replace(ctx, dir, 0o755, waiting,
		func(tmp string) error { writeErr = write(tmp); return writeErr },
		func(tmp string) error { return errors.Join(checkReplaceable(dir), atomic.Exchange(tmp, dir)) })
	if err != nil && writeErr == nil {
		err = fmt.Errorf("writing %q: %w", dir, err)
	}
	return err
}

// checkReplaceable checks that dir does not exist, is empty or is a layout.
func checkReplaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "oci-layout")); err != nil && len(entries) > 0 {
		return errors.New("refusing to overwrite: not an OCI layout")
	}
	return nil
}
