package fetch

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// bases is a registry with an index of two platforms, and a fetcher whose mirror
// it is.
type bases struct {
	*Fetcher
	t         *testing.T
	server    *httptest.Server
	images    map[string]v1.Image // by architecture
	index     v1.ImageIndex
	replace   map[string]http.HandlerFunc // responses by digest
	requested []string                    // digests
}

func startBases(t *testing.T, mediaType types.MediaType) *bases {
	t.Helper()
	b := &bases{t: t, images: map[string]v1.Image{}, index: empty.Index, replace: map[string]http.HandlerFunc{}}
	all := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if digest := filepath.Base(r.URL.Path); r.Method == http.MethodGet && strings.HasPrefix(digest, "sha256:") {
			b.requested = append(b.requested, digest)
			if handler := b.replace[digest]; handler != nil {
				handler(w, r)
				return
			}
		}
		all.ServeHTTP(w, r)
	}))
	t.Cleanup(b.server.Close)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := random.Image(4096, 2)
		if err != nil {
			t.Fatal(err)
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		config.OS, config.Architecture, config.History = "linux", arch, nil
		if img, err = mutate.ConfigFile(img, config); err != nil {
			t.Fatal(err)
		}
		b.images[arch] = mutate.MediaType(mutate.ConfigMediaType(img, configTypes[mediaType]), mediaType)
		b.index = mutate.AppendManifests(b.index, mutate.IndexAddendum{
			Add: b.images[arch], Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	if err := remote.WriteIndex(b.repository().Tag("v1"), b.index); err != nil {
		t.Fatal(err)
	}
	b.Fetcher = &Fetcher{
		Catalog: &versions.Catalog{Manifest: &versions.Manifest{}, Lock: versions.NewLock()},
		Store:   store.New(t.TempDir()), Upstream: "", Registry: b.host() + "/mirrored", Progress: progress.New(io.Discard, nil),
	}
	return b
}

var configTypes = map[types.MediaType]types.MediaType{
	types.OCIManifestSchema1: types.OCIConfigJSON, types.DockerManifestSchema2: types.DockerConfigJSON,
}

func (b *bases) host() string { return strings.TrimPrefix(b.server.URL, "http://") }

func (b *bases) repository() name.Repository {
	repo, err := name.NewRepository(b.host() + "/mirrored/team/base")
	if err != nil {
		b.t.Fatal(err)
	}
	return repo
}

func (b *bases) key(digest v1.Hash, arch string) versions.BaseKey {
	b.t.Helper()
	image, err1 := versions.ParseImageRef("registry.example/team/base@" + digest.String())
	platform, err2 := versions.ParsePlatform("linux/" + arch)
	if err1 != nil || err2 != nil {
		b.t.Fatal(err1, err2)
	}
	return versions.BaseKey{Image: image, Platform: platform}
}

func (b *bases) digest(of interface{ Digest() (v1.Hash, error) }) v1.Hash {
	b.t.Helper()
	d, err := of.Digest()
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func (b *bases) pin(manifest v1.Hash, arch string) versions.BasePin {
	b.t.Helper()
	d, err := versions.ParseDigest(manifest.Hex)
	if err != nil {
		b.t.Fatal(err)
	}
	return versions.BasePin{BaseKey: b.key(b.digest(b.index), arch), SHA256: d}
}

// raw is a manifest by its bytes.
type raw struct {
	bytes     []byte
	mediaType types.MediaType
}

func (r raw) RawManifest() ([]byte, error)        { return r.bytes, nil }
func (r raw) MediaType() (types.MediaType, error) { return r.mediaType, nil }
func (r raw) Digest() (v1.Hash, error) {
	h, _, err := v1.SHA256(bytes.NewReader(r.bytes))
	return h, err
}

// checkStore verifies all files of a store.
func checkStore(t *testing.T, s store.Store) {
	t.Helper()
	zero, _ := versions.ParseDigest(strings.Repeat("0", 64))
	files, err := filepath.Glob(filepath.Join(filepath.Dir(s.Path(zero)), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if got := fmt.Sprintf("%x", sha256.Sum256(raw)); err != nil || got != filepath.Base(file) {
			t.Errorf("%s has sha256 %s, %v", file, got, err)
		}
	}
}
