package assemble

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/versions"
)

// put puts bytes into the store and returns their digest.
func put(t *testing.T, f *fetch.Fetcher, raw []byte) versions.Digest {
	t.Helper()
	d := versions.NewDigest(sha256.Sum256(raw))
	if err := f.Store.Put(t.Context(), d, 0, "a base", bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	return d
}

// setupOnBase gives the image of setup a base image per platform, which is in the store:
// one with Docker media types, the other with OCI media types.
func setupOnBase(t *testing.T) (*fetch.Fetcher, versions.Image, map[string]v1.Image) {
	t.Helper()
	f, image := setup(t, "gzip")
	ref, err := versions.ParseImageRef("registry.example/base@sha256:" + strings.Repeat("a", 64))
	if err != nil {
		t.Fatal(err)
	}
	bases := map[string]v1.Image{}
	for i, build := range image.Builds {
		img, err := random.Image(10_000, 2)
		if err != nil {
			t.Fatal(err)
		}
		img, err = mutate.ConfigFile(img, &v1.ConfigFile{
			OS: "linux", Architecture: build.Platform.Arch(),
			Config: v1.Config{User: "root", Cmd: []string{"sh"}, Env: []string{"A=a", "PATH=/bin"}, Labels: map[string]string{"of": "base"}},
			RootFS: must(t, img.ConfigFile).RootFS,
		})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			img = mutate.MediaType(mutate.ConfigMediaType(img, types.DockerConfigJSON), types.DockerManifestSchema2)
		} else {
			img = mutate.MediaType(mutate.ConfigMediaType(img, types.OCIConfigJSON), types.OCIManifestSchema1)
		}
		for _, l := range must(t, img.Layers) {
			r := must(t, l.Compressed)
			var raw bytes.Buffer
			if _, err := raw.ReadFrom(r); err != nil {
				t.Fatal(err)
			}
			put(t, f, raw.Bytes())
		}
		put(t, f, must(t, img.RawConfigFile))
		image.Builds[i].Base = versions.BasePin{
			BaseKey: versions.BaseKey{Image: ref, Platform: build.Platform}, SHA256: put(t, f, must(t, img.RawManifest)),
		}
		bases[build.Platform.String()] = img
	}
	f.Registry = fetch.Off
	return f, image, bases
}

func must[T any](t *testing.T, get func() (T, error)) T {
	t.Helper()
	v, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestIndexOnBase(t *testing.T) {
	f, image, bases := setupOnBase(t)
	dir := filepath.Join(t.TempDir(), "layout")
	record, err := Image(t.Context(), f, image, versions.Platform{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	top := must(t, func() (v1.ImageIndex, error) { return layout.ImageIndexFromPath(dir) })
	digest, err := v1.NewHash(record.Index)
	if err != nil {
		t.Fatal(err)
	}
	index, err := top.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Errorf("not a valid index: %v", err)
	}
	for i, entry := range must(t, index.IndexManifest).Manifests {
		platform := entry.Platform.String()
		img, err := index.Image(entry.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, base := must(t, img.ConfigFile), bases[platform]
		if !strings.HasPrefix(fmt.Sprint(config.RootFS.DiffIDs), strings.TrimSuffix(fmt.Sprint(must(t, base.ConfigFile).RootFS.DiffIDs), "]")) ||
			len(config.RootFS.DiffIDs) != 5 || len(record.DiffIDs[platform]) != 5 {
			t.Errorf("%s: layers %v", platform, config.RootFS.DiffIDs)
		}
		if config.Config.User != "0:0" || fmt.Sprint(config.Config.Env) != "[A=b PATH=/bin]" || config.Config.Labels["of"] != "base" || fmt.Sprint(config.Config.Cmd) != "[version]" {
			t.Errorf("%s: config %+v", platform, config.Config)
		}
		want := []types.MediaType{types.DockerManifestSchema2, types.OCIManifestSchema1}[i]
		if entry.MediaType != want || must(t, img.MediaType) != want {
			t.Errorf("%s: media type %s", platform, entry.MediaType)
		}
	}
	before := listing(t, dir)
	if again, err := Image(t.Context(), f, image, versions.Platform{}, dir); err != nil || again.Index != record.Index || !maps.Equal(before, listing(t, dir)) {
		t.Errorf("again: %+v, %v", again, err)
	}
	// A single platform has the same digest; another base has another one.
	for _, build := range image.Builds {
		one, err := Image(t.Context(), f, image, build.Platform, filepath.Join(t.TempDir(), "one"))
		if err != nil || one.Manifests[build.Platform.String()] != record.Manifests[build.Platform.String()] {
			t.Errorf("%s: %+v, %v", build.Platform, one, err)
		}
	}
	image.Builds[0].Base = versions.BasePin{}
	if scratch, err := Image(t.Context(), f, image, versions.Platform{}, dir); err != nil || scratch.Inputs == record.Inputs || scratch.Manifests["linux/amd64"] == record.Manifests["linux/amd64"] {
		t.Errorf("on scratch: %+v, %v", scratch, err)
	}
}

// A missing or corrupt base is an error that names it, and leaves nothing behind.
func TestIndexMissingBase(t *testing.T) {
	f, image, bases := setupOnBase(t)
	layer := must(t, bases["linux/arm64"].Manifest).Layers[1].Digest
	d, err := versions.ParseDigest(layer.Hex)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(f.Store.Path(d))
	if err != nil {
		t.Fatal(err)
	}
	for what, corrupt := range map[string]func() error{
		"blob sha256 " + layer.Hex + " is not in the store": func() error { return os.Remove(f.Store.Path(d)) },
		"Fix: delete that file": func() error {
			raw[100] ^= 1
			return os.WriteFile(f.Store.Path(d), raw, 0o644)
		},
	} {
		if err := corrupt(); err != nil {
			t.Fatal(err)
		}
		for name, build := range map[string]func(dir string) error{
			"index": func(dir string) error { _, err := Image(t.Context(), f, image, versions.Platform{}, dir); return err },
			"base":  func(dir string) error { return Base(t.Context(), f, image.Builds[1].Base, dir) },
		} {
			parent := t.TempDir()
			err := build(filepath.Join(parent, "layout"))
			if err == nil || !strings.Contains(err.Error(), what) || what[0] == 't' && !strings.Contains(err.Error(), image.Builds[1].Base.BaseKey.String()) {
				t.Errorf("%s: got %v, want %s", name, err, what)
			}
			if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
				t.Errorf("%s: left behind: %v, %v", name, left, err)
			}
		}
	}
}

func TestBase(t *testing.T) {
	f, image, bases := setupOnBase(t)
	for _, build := range image.Builds {
		dir := filepath.Join(t.TempDir(), "layout")
		if err := Base(t.Context(), f, build.Base, dir); err != nil {
			t.Fatal(err)
		}
		// The blobs are those that go-containerregistry writes.
		other := t.TempDir()
		l, err := layout.Write(other, empty.Index)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.AppendImage(bases[build.Platform.String()]); err != nil {
			t.Fatal(err)
		}
		got, want := listing(t, filepath.Join(dir, "blobs")), listing(t, filepath.Join(other, "blobs"))
		for name := range want {
			if _, sum, _ := strings.Cut(got[name], " "); !strings.HasSuffix(want[name], sum) {
				t.Errorf("%s: %q, want %q", name, got[name], want[name])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d blobs, want %d", len(got), len(want))
		}
		img, err := layout.ImageIndexFromPath(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Index(img); err != nil {
			t.Error(err)
		}
	}
}
