package fetch

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
)

func TestBaseOff(t *testing.T) {
	b := startBases(t, types.OCIManifestSchema1)
	pin := b.pin(b.digest(b.images["amd64"]), "amd64")
	for registry, want := range map[string]string{
		Off:                      "manifest sha256 " + pin.SHA256.String() + " is not in the store: downloads are disabled by HYPERKUBE_UPSTREAM=off or HYPERKUBE_REBUILD=1",
		"https://mirror.example": `HYPERKUBE_REGISTRY_MIRROR="https://mirror.example": want HOST:PORT`,
		"mirror example":         "mirror example",
		"127.0.0.1:1":            "connection refused",
	} {
		b.Registry = registry
		if base, err := b.Base(t.Context(), pin); err == nil || base != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), pin.BaseKey.String()) {
			t.Errorf("%s: got %v, %v, want %s", registry, base, err, want)
		}
	}
	// Without a mirror the request goes to the registry.
	b.Registry = ""
	image, err := versions.ParseImageRef(b.repository().String() + "@" + b.digest(b.index).String())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.PinBase(t.Context(), versions.BaseKey{Image: image, Platform: pin.Platform}); err != nil || got.SHA256 != pin.SHA256 {
		t.Errorf("pinned %+v, %v", got, err)
	}
}

func TestPinBaseRefused(t *testing.T) {
	b := startBases(t, types.DockerManifestSchema2)
	one := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: b.images["arm64"], Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}},
	})
	wrong := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: b.images["arm64"], Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}},
	})
	absent, _ := v1.NewHash("sha256:" + strings.Repeat("0", 64))
	for name, test := range map[string]struct {
		digest v1.Hash
		want   string
	}{
		"missing platform": {b.digest(one), `want one manifest for linux/amd64, got 0; other platforms: ["linux/arm64"]`},
		"wrong platform":   {b.digest(wrong), "config is for linux/arm64"},
		"other manifest":   {b.digest(b.images["arm64"]), "config is for linux/arm64"},
		"missing":          {absent, "MANIFEST_UNKNOWN"},
	} {
		for _, index := range []v1.ImageIndex{one, wrong} {
			if err := remote.WriteIndex(b.repository().Digest(b.digest(index).String()), index); err != nil {
				t.Fatal(err)
			}
		}
		pin, err := b.PinBase(t.Context(), b.key(test.digest, "amd64"))
		want := "pinning base image registry.example/team/base@" + test.digest.String() + " for linux/amd64: "
		if err == nil || pin != (versions.BasePin{}) || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %+v, %v, want %s… %s", name, pin, err, want, test.want)
		}
	}
}

func TestBaseRetriesAfterUnexpectedEOF(t *testing.T) {
	b := startBases(t, types.OCIManifestSchema1)
	m, err := b.images["amd64"].Manifest()
	if err != nil {
		t.Fatal(err)
	}
	layer := m.Layers[0].Digest.String()
	b.replace[layer] = func(w http.ResponseWriter, _ *http.Request) {
		delete(b.replace, layer)
		w.Header().Set("Content-Length", fmt.Sprint(m.Layers[0].Size))
		w.Write([]byte("half"))
		panic(http.ErrAbortHandler)
	}
	if _, err := b.Base(t.Context(), b.pin(b.digest(b.images["amd64"]), "amd64")); err != nil {
		t.Error(err)
	}
}

func TestBaseResumes(t *testing.T) {
	b := startBases(t, types.OCIManifestSchema1)
	layers, err := b.images["amd64"].Layers()
	if err != nil {
		t.Fatal(err)
	}
	blob, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(blob)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	server := &rangeServer{data: data, header: http.Header{"Etag": {`"` + digest.String() + `"`}}, interrupt: 1}
	b.replace[digest.String()] = server.ServeHTTP
	if _, err := b.Base(t.Context(), b.pin(b.digest(b.images["amd64"]), "amd64")); err != nil {
		t.Fatal(err)
	}
	want := []string{"", fmt.Sprintf("bytes=%d-", len(data)/4)}
	if !slices.Equal(server.ranges, want) || server.sent != len(data) {
		t.Errorf("ranges %q, want %q; sent %d of %d bytes", server.ranges, want, server.sent, len(data))
	}
}

func TestBaseOfChangedFile(t *testing.T) {
	b := startBases(t, types.OCIManifestSchema1)
	pin := b.pin(b.digest(b.images["amd64"]), "amd64")
	base, err := b.Base(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	layer, _ := versions.ParseDigest(strings.TrimPrefix(base.Layers[0].Digest, "sha256:"))
	for name, d := range map[string]versions.Digest{"manifest": pin.SHA256, "config": base.ConfigDescriptor.Digest, "layer": layer} {
		raw, err := os.ReadFile(b.Store.Path(d))
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(raw)
		flipped[len(raw)/2] ^= 1
		if err := os.WriteFile(b.Store.Path(d), flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err = b.Base(t.Context(), pin)
		if name == "layer" { // verified when it is read
			err = b.LayerWriter(t.Context())(base.Layers[0].Digest, filepath.Join(t.TempDir(), "layer"))
		}
		if err == nil || !strings.Contains(err.Error(), b.Store.Path(d)) || !strings.Contains(err.Error(), "Fix: delete that file") {
			t.Errorf("%s: got %v", name, err)
		}
		if err := os.WriteFile(b.Store.Path(d), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRegistryFromEnv(t *testing.T) {
	for _, test := range []struct{ upstream, mirror, rebuild, want string }{
		{"", "", "", ""},
		{"https://mirror.example", "", "", ""},
		{"", "mirror.example:5000", "", "mirror.example:5000"},
		{"off", "", "", Off},
		{"off", "mirror.example:5000", "1", Off},
		{"", "", "1", Off},
		{"", "mirror.example:5000", "1", "mirror.example:5000"},
	} {
		env := map[string]string{"HYPERKUBE_UPSTREAM": test.upstream, "HYPERKUBE_REGISTRY_MIRROR": test.mirror, "HYPERKUBE_REBUILD": test.rebuild, "HYPERKUBE_CACHE": "/x"}
		s, err := New(cli.Env{Getenv: func(key string) string { return env[key] }, Err: io.Discard}, &versions.Catalog{})
		if err != nil || s.Registry != test.want {
			t.Errorf("%+v: got %q, %v", test, s.Registry, err)
		}
	}
}

// A layer that the manifest announces as empty is read only until it is too long.
func TestBaseEmptyLayer(t *testing.T) {
	b := startBases(t, types.OCIManifestSchema1)
	m, err := b.images["amd64"].Manifest()
	if err != nil {
		t.Fatal(err)
	}
	valid, err := b.images["amd64"].RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	changed := raw{bytes.Replace(valid, fmt.Appendf(nil, `"size":%d`, m.Layers[0].Size), []byte(`"size":0`), 1), types.OCIManifestSchema1}
	if err := remote.Put(b.repository().Digest(b.digest(changed).String()), changed); err != nil {
		t.Fatal(err)
	}
	const sizeMiB = 32 // more than all buffers in between
	sent := make(chan int, 1)
	b.replace[m.Layers[0].Digest.String()] = func(w http.ResponseWriter, _ *http.Request) {
		n := 0
		for ; n < sizeMiB; n++ {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				break
			}
		}
		sent <- n
	}
	if base, err := b.Base(t.Context(), b.pin(b.digest(changed), "amd64")); err == nil || base != nil {
		t.Errorf("got %v, %v", base, err)
	}
	if n := <-sent; n == sizeMiB {
		t.Errorf("read all %d MiB", n)
	}
}
