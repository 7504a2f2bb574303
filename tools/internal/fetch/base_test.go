package fetch

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func TestBase(t *testing.T) {
	for _, mediaType := range []types.MediaType{types.OCIManifestSchema1, types.DockerManifestSchema2} {
		b := startBases(t, mediaType)
		for arch, img := range b.images {
			pin, err := b.PinBase(t.Context(), b.key(b.digest(b.index), arch))
			if err != nil {
				t.Fatal(err)
			}
			if pin != b.pin(b.digest(img), arch) {
				t.Errorf("%s: pinned %+v, want manifest %s", arch, pin, b.digest(img))
			}
			// A manifest is pinned as well as an index.
			if alone, err := b.PinBase(t.Context(), b.key(b.digest(img), arch)); err != nil || alone.SHA256 != pin.SHA256 {
				t.Errorf("%s: pinned %+v, %v", arch, alone, err)
			}
			// All content is in the store: no request is needed.
			b.requested, b.Registry = nil, Off
			base, err := b.Base(t.Context(), pin)
			if err != nil || len(base.Layers) != 2 || base.Arch != arch || len(b.requested) > 0 {
				t.Errorf("%s: %+v, %v, requested %q", arch, base, err, b.requested)
			}
			b.Registry = b.host() + "/mirrored"
			to := filepath.Join(t.TempDir(), "layer")
			if err := b.LayerWriter(t.Context())(base.Layers[1].Digest, to); err != nil {
				t.Fatal(err)
			}
			raw, err := os.ReadFile(to)
			if got := fmt.Sprintf("sha256:%x", sha256.Sum256(raw)); err != nil || got != base.Layers[1].Digest {
				t.Errorf("placed %s, %v", got, err)
			}
		}
	}
}

// instead answers with other bytes.
func instead(raw []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(raw) }
}

// Whatever is wrong with a base, the error names it, and what is not the pinned
// bytes does not get into the store.
func TestBaseRefused(t *testing.T) {
	const docker = types.DockerManifestSchema2
	for name, test := range map[string]struct {
		arch  string
		spoil func(b *bases, manifest, config, layer v1.Hash)
		want  string
	}{
		"another manifest": {"", func(b *bases, m, _, _ v1.Hash) {
			raw, _ := b.images["arm64"].RawManifest()
			b.replace[m.String()] = instead(raw)
		}, "does not match requested digest"},
		// The library trusts these headers of an old kind of manifest.
		"another manifest that lies": {"", func(b *bases, m, _, _ v1.Hash) {
			b.replace[m.String()] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", string(types.DockerManifestSchema1Signed))
				w.Header().Set("Docker-Content-Digest", m.String())
				w.Write([]byte("{}"))
			}
		}, "want sha256 "},
		"sign-in page":     {"", func(b *bases, m, _, _ v1.Hash) { b.replace[m.String()] = instead([]byte("<html>Sign in")) }, "does not match requested digest"},
		"no manifest":      {"", func(b *bases, m, _, _ v1.Hash) { b.replace[m.String()] = http.NotFound }, "404"},
		"no config":        {"", func(b *bases, _, c, _ v1.Hash) { b.replace[c.String()] = http.NotFound }, "404"},
		"no layer":         {"", func(b *bases, _, _, l v1.Hash) { b.replace[l.String()] = http.NotFound }, "404"},
		"another config":   {"", func(b *bases, _, c, _ v1.Hash) { b.replace[c.String()] = instead([]byte("{}")) }, "sha256"},
		"another layer":    {"", func(b *bases, _, _, l v1.Hash) { b.replace[l.String()] = instead([]byte("other")) }, "sha256"},
		"another platform": {"arm64", func(*bases, v1.Hash, v1.Hash, v1.Hash) {}, "config is for linux/amd64"},
		"endless layer": {"", func(b *bases, _, _, l v1.Hash) {
			b.replace[l.String()] = func(w http.ResponseWriter, _ *http.Request) {
				for chunk := make([]byte, 1<<20); ; {
					if _, err := w.Write(chunk); err != nil {
						return
					}
				}
			}
		}, "bytes, got more"},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBases(t, docker)
			img := b.images["amd64"]
			manifest, err := img.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			test.spoil(b, b.digest(img), manifest.Config.Digest, manifest.Layers[1].Digest)
			pin := b.pin(b.digest(img), "amd64")
			if test.arch != "" {
				pin = b.pin(b.digest(img), test.arch)
			}
			base, err := b.Base(t.Context(), pin)
			want := "fetching base image registry.example/team/base@" + b.digest(b.index).String() + " for " + pin.Platform.String() + ": "
			if err == nil || base != nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want %s… %s", base, err, want, test.want)
			}
			for _, digest := range b.requested {
				if n := strings.Count(strings.Join(b.requested, " "), digest); n > 1 {
					t.Errorf("requested %s %d times; another attempt does not help", digest, n)
				}
			}
			checkStore(t, b.Store)
		})
	}
}

// A manifest that is the pinned one, and says what is not so.
func TestBaseLies(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"foreign layer": {string(types.DockerLayer), string(types.DockerForeignLayer), "layers[0]: want media type"},
		"URLs":          {`"layers":[{`, `"layers":[{"urls":["https://example.com/x"],`, "layers[0]: blobs with urls"},
		"longer layer":  {`"size":LAYER`, `"size":1LAYER`, "bytes as in the manifest, got LAYER in"},
		"shorter layer": {`"size":LAYER`, `"size":7`, "and 7 bytes, got more"},
		"empty layer":   {`"size":LAYER`, `"size":0`, "want sha256"},
		"longer config": {`"size":CONFIG`, `"size":1CONFIG`, "bytes as in the manifest, got CONFIG bytes"},
		"fewer layers":  {`"layers":[`, `"layers":[],"x":[`, "want 0 diff_ids, one per layer, got 2"},
		"key twice":     {`"layers":[`, `"layers":[],"layers":[`, `duplicate key "layers"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBases(t, types.OCIManifestSchema1)
			valid, err1 := b.images["amd64"].RawManifest()
			m, err2 := b.images["amd64"].Manifest()
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			sizes := strings.NewReplacer("LAYER", fmt.Sprint(m.Layers[0].Size), "CONFIG", fmt.Sprint(m.Config.Size))
			old := sizes.Replace(test.old)
			if !strings.Contains(string(valid), old) {
				t.Fatalf("the manifest has no %q: %s", old, valid)
			}
			changed := raw{[]byte(strings.Replace(string(valid), old, sizes.Replace(test.new), 1)), types.OCIManifestSchema1}
			if err := remote.Put(b.repository().Digest(b.digest(changed).String()), changed); err != nil {
				t.Fatal(err)
			}
			// First out of the registry, then with the true blobs in the store.
			for range 2 {
				base, err := b.Base(t.Context(), b.pin(b.digest(changed), "amd64"))
				if want := sizes.Replace(test.want); name == "empty layer" || name == "shorter layer" {
					if err == nil || base != nil {
						t.Errorf("got %v, %v", base, err)
					}
				} else if err == nil || base != nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, %v, want %s", base, err, want)
				}
				checkStore(t, b.Store)
				if _, err := b.Base(t.Context(), b.pin(b.digest(b.images["amd64"]), "amd64")); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
