// Package assemble builds an image from the lock and the store alone. It knows
// nothing of Bazel, and comes to the same digests.
package assemble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// Index builds an image for all its platforms into an OCI layout at dir, which
// must be free, or a layout, which it then replaces.
func Index(ctx context.Context, s *fetch.Fetcher, image versions.Image, dir string) (record.Record, error) {
	record := newRecord(image)
	err := replace(ctx, s, dir, func(stage string) error {
		var manifests []oci.Manifest
		for _, build := range image.Builds {
			m, err := compose(ctx, s, image, build, stage, &record)
			if err != nil {
				return err
			}
			manifests = append(manifests, m)
		}
		index, err := oci.Index(manifests)
		if err != nil {
			return err
		}
		record.Index = index.Digest
		return oci.WriteIndex(stage, index, manifests, s.BlobCopier(ctx))
	})
	return record, err
}

// Platform builds the image for one of its platforms alone.
func Platform(ctx context.Context, s *fetch.Fetcher, image versions.Image, platform versions.Platform, dir string) (record.Record, error) {
	record := newRecord(image)
	for _, build := range image.Builds {
		if build.Platform != platform {
			continue
		}
		err := replace(ctx, s, dir, func(stage string) error {
			m, err := compose(ctx, s, image, build, stage, &record)
			if err != nil {
				return err
			}
			return oci.WriteImage(stage, m, s.BlobCopier(ctx))
		})
		return record, err
	}
	return record, fmt.Errorf("%s is not made for %s", image.Name(), platform)
}

func newRecord(image versions.Image) record.Record {
	return record.Record{Inputs: image.Inputs().String(), Manifests: map[string]string{}, DiffIDs: map[string][]string{}}
}

// compose writes the layers of one platform into the layout and composes the
// image that they make, upon its base.
func compose(ctx context.Context, s *fetch.Fetcher, image versions.Image, build versions.Build, stage string, record *record.Record) (oci.Manifest, error) {
	f := image.Flavor
	spec := oci.Image{
		OS: build.Platform.OS(), Arch: build.Platform.Arch(),
		Entrypoint: f.Entrypoint, Cmd: f.Cmd, Env: f.Env, Labels: image.Labels,
		User: f.User, WorkingDir: f.WorkingDir,
	}
	platform := build.Platform.String()
	if build.Base != (versions.BasePin{}) {
		base, err := s.Base(ctx, build.Base)
		if err != nil {
			return oci.Manifest{}, fmt.Errorf("building %s for %s: %w", image.Name(), platform, err)
		}
		spec.Base = base
		for _, l := range base.Layers {
			record.DiffIDs[platform] = append(record.DiffIDs[platform], l.DiffID)
		}
	}
	for _, l := range build.Layers {
		d, err := write(ctx, s, l, stage)
		if err != nil {
			return oci.Manifest{}, fmt.Errorf("building %s for %s: %w", image.Name(), platform, err)
		}
		spec.Layers = append(spec.Layers, oci.Layer{Descriptor: d, Label: l.Label()})
		record.DiffIDs[platform] = append(record.DiffIDs[platform], d.DiffID)
	}
	m, err := oci.Compose(spec)
	record.Manifests[platform] = m.Digest
	return m, err
}

func write(ctx context.Context, s *fetch.Fetcher, l versions.Layer, stage string) (layer.Descriptor, error) {
	entry := layer.Entry{Path: l.Path, Mode: l.Mode, Symlinks: l.Symlinks, Content: strings.NewReader("")}
	if len(l.Symlinks) == 0 {
		if err := s.Ensure(ctx, l.Pin); err != nil {
			return layer.Descriptor{}, err
		}
		// The reader checks the sha256 of what goes into the layer.
		content, size, err := s.Store.Open(l.Pin.SHA256)
		if err != nil {
			return layer.Descriptor{}, err
		}
		defer content.Close()
		entry.Content, entry.Size = content, size
	}
	if err := oci.MakeDirs(stage); err != nil {
		return layer.Descriptor{}, err
	}
	tmp, err := os.CreateTemp(stage, "layer-")
	if err != nil {
		return layer.Descriptor{}, err
	}
	d, err := layer.Write(ctx, tmp, entry, l.Compression)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return layer.Descriptor{}, s.Explain(l.Pin, err)
	}
	return d, os.Rename(tmp.Name(), oci.BlobPath(stage, d.Digest))
}

// replace fills a folder beside dir and then puts it in dir's place, so that
// dir is never a half-written layout.
func replace(ctx context.Context, s *fetch.Fetcher, dir string, fill func(stage string) error) error {
	dir = filepath.Clean(dir)
	if err := replaceable(dir); err != nil {
		return fmt.Errorf("writing %q: %w", dir, err)
	}
	waiting := func() { s.Progress.Logf("waiting for another process that writes %q", dir) }
	var fillErr error
	err := atomic.Replace(ctx, dir, 0o755, waiting,
		func(made string) error { fillErr = fill(made); return fillErr },
		func(made string) error { return errors.Join(replaceable(dir), atomic.Exchange(made, dir)) })
	if err != nil && fillErr == nil {
		err = fmt.Errorf("writing %q: %w", dir, err)
	}
	return err
}

// replaceable wants a place that is free, or has a layout.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "oci-layout")); err != nil && len(entries) > 0 {
		return errors.New("it is there, and not an OCI layout; name another folder")
	}
	return nil
}
