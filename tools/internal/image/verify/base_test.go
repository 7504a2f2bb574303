package verify

import (
	"bytes"
	"crypto/sha256"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// putBase puts a base image into the store and returns its pin.
func putBase(t *testing.T, f *fetch.Fetcher, platform versions.Platform, config v1.Config) versions.BasePin {
	t.Helper()
	img, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	old, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: platform.OS(), Architecture: platform.Arch(), Variant: "v8", Config: config, RootFS: old.RootFS})
	if err != nil {
		t.Fatal(err)
	}
	img = mutate.MediaType(mutate.ConfigMediaType(img, types.DockerConfigJSON), types.DockerManifestSchema2)
	put := func(raw []byte, err error) versions.Digest {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		d := versions.NewDigest(sha256.Sum256(raw))
		if err := f.Store.Put(t.Context(), d, 0, "a base", bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		r, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		var raw bytes.Buffer
		_, err = raw.ReadFrom(r)
		put(raw.Bytes(), err)
	}
	put(img.RawConfigFile())
	ref, err := versions.ParseImageRef("registry.example/base@sha256:" + strings.Repeat("a", 64))
	if err != nil {
		t.Fatal(err)
	}
	return versions.BasePin{BaseKey: versions.BaseKey{Image: ref, Platform: platform}, SHA256: put(img.RawManifest())}
}

func TestLayoutOnBase(t *testing.T) {
	f, image := setup(t, strings.Replace(manifest, "    cmd: [now]\n    user: \"0:0\"\n", "    env: {A: b}\n", 1), nil)
	platform := image.Builds[0].Platform
	config := v1.Config{User: "root", Cmd: []string{"sh"}, Env: []string{"PATH=/bin", "A=a"}, Labels: map[string]string{"of": "base"}}
	extend := func(pin versions.BasePin) (versions.Image, map[versions.Platform]string) {
		t.Helper()
		based := image
		based.Builds = []versions.Build{image.Builds[0]}
		based.Builds[0].Base = pin
		dir := filepath.Join(t.TempDir(), "base")
		if err := assemble.Base(t.Context(), f, pin, dir); err != nil {
			t.Fatal(err)
		}
		return based, map[versions.Platform]string{platform: dir}
	}
	first, firstDir := extend(putBase(t, f, platform, config))
	second, secondDir := extend(putBase(t, f, platform, config))
	config.Labels = nil
	third, thirdDir := extend(putBase(t, f, platform, config))
	dir, built := assembleImage(t, f, first)
	findings, err := Layout(t.Context(), dir, first, record.Records{first.Name(): built}, firstDir, nil)
	if err != nil || len(findings) != 3 {
		t.Errorf("got %v, %v", findings, err)
	}
	for name, test := range map[string]struct {
		image versions.Image
		bases map[versions.Platform]string
		want  string
	}{
		"no layout":      {first, nil, "Fix: run hk fetch --base registry.example/base@sha256:"},
		"another layout": {first, secondDir, "base image registry.example/base@sha256:" + strings.Repeat("a", 64) + " for " + platform.String() + ": want manifest sha256 " + first.Builds[0].Base.SHA256.String() + ", got"},
		"another base":   {second, secondDir, "layer 0 of the base image: want sha256:"},
		"other config":   {third, thirdDir, "want 1 labels, got 2"},
		"scratch":        {image, nil, "want 0 layers of the base image and 3 more, got 5"},
	} {
		if findings, err := Layout(t.Context(), dir, test.image, nil, test.bases, nil); err == nil || findings != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, %v, want %s", name, findings, err, test.want)
		}
	}
	// The environment must be that of the base, overridden by the flavor's.
	flavor := *first.Flavor
	flavor.Env = []versions.Pair{{Key: "A", Value: "c"}}
	first.Flavor = &flavor
	if _, err := Layout(t.Context(), dir, first, nil, firstDir, nil); err == nil || !strings.Contains(err.Error(), `want environment map["A":"c" "PATH":"/bin"]`) {
		t.Errorf("another environment: %v", err)
	}
}
