package content

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// image returns an image for an architecture that has the file /x.
func image(t *testing.T, arch, content string, opts ...tarball.LayerOption) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: "x", Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err == nil {
		img, err = mutate.ConfigFile(img, configFor(t, img, arch))
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func configFor(t *testing.T, img v1.Image, arch string) *v1.ConfigFile {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	return config
}

// push pushes an image or index and returns its reference by digest.
func push(t *testing.T, host, ref string, img remote.Taggable) string {
	t.Helper()
	tag, err := name.NewTag(host + "/" + ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Push(tag, img); err != nil {
		t.Fatal(err)
	}
	desc, err := remote.Head(tag)
	if err != nil {
		t.Fatal(err)
	}
	return tag.Digest(desc.Digest.String()).Name()
}

func quiet() registry.Option { return registry.Logger(log.New(io.Discard, "", 0)) }

func index(t *testing.T, images map[string]v1.Image) v1.ImageIndex {
	t.Helper()
	list := v1.ImageIndex(empty.Index)
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		if img, ok := images[arch]; ok {
			list = mutate.AppendManifests(list, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		}
	}
	return list
}

func TestImage(t *testing.T) {
	// Credentials of this machine must not be used.
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	server := httptest.NewServer(registry.New(quiet()))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	f := Fetcher{Transport: NewTransport(Limits{Idle: 5 * time.Second, Window: time.Minute}), Arch: "arm64", MaxSize: 10000}

	both := push(t, host, "both:v1", index(t, map[string]v1.Image{"amd64": image(t, "amd64", "intel"), "arm64": image(t, "arm64", "arm")}))
	single := push(t, host, "single:v1", image(t, "arm64", "single"))
	zstd := push(t, host, "zstd:v1", image(t, "arm64", "zstd", tarball.WithCompression(compression.ZStd), tarball.WithMediaType(types.OCILayerZStd)))
	other := push(t, host, "other:v1", image(t, "amd64", "intel"))
	none := push(t, host, "none:v1", index(t, map[string]v1.Image{"amd64": image(t, "amd64", "intel")}))
	wrong := push(t, host, "wrong:v1", index(t, map[string]v1.Image{"arm64": image(t, "s390x", "mainframe")}))
	for _, c := range []struct{ ref, want string }{
		{both + "!/x", "arm"},
		{host + "/both:v1!/x#sha256=" + sumOf("arm"), "arm"},
		{single + "!/x", "single"},
		{zstd + "!/x", "zstd"},
		{both + "!/y", `error: file "/y" not found`},
		{other + "!/x", "error: image is for linux/amd64, want linux/arm64"},
		{none + "!/x", "error: linux/arm64"},
		{wrong + "!/x", "error: image is for linux/s390x, want linux/arm64"},
		{host + "/missing:v1!/x#sha256=" + sumOf("x"), "error: NAME_UNKNOWN"},
		{strings.Replace(both, "/both@", "/single@", 1) + "!/x", "error: MANIFEST_UNKNOWN"},
	} {
		got, err := get(t.Context(), t, f, "image:"+c.ref)
		if want, isError := strings.CutPrefix(c.want, "error: "); isError {
			wantError(t, err, want, `reading "x" from image:`+host)
		} else if got != c.want || err != nil {
			t.Errorf("of %s: got %q, %v; want %q", c.ref, got, err, c.want)
		}
	}
}

// Digests must be verified.
func TestImageTampered(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	var part atomic.Value
	part.Store("")
	inner := registry.New(quiet())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if part := part.Load().(string); r.Method != http.MethodGet || part == "" || !strings.Contains(r.URL.Path, part) {
			inner.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		inner.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		body[len(body)-1] ^= 1
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		_, _ = w.Write(body)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	img := image(t, "arm64", strings.Repeat("bytes", 1000))
	ref := push(t, host, "x:v1", img)
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	f := Fetcher{Transport: NewTransport(Limits{Idle: 5 * time.Second, Window: time.Minute}), Arch: "arm64", MaxSize: 10000}
	if _, err := get(t.Context(), t, f, "image:"+ref+"!/x"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/manifests/", manifest.Config.Digest.Hex, manifest.Layers[0].Digest.Hex} {
		part.Store(p)
		if _, err := get(t.Context(), t, f, "image:"+ref+"!/x"); err == nil {
			t.Errorf("no error for a changed %s", p)
		}
	}
}

// A registry must not keep a run forever, fill the memory, or control a terminal.
func TestImageHostile(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	slow := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			fmt.Fprint(w, "{")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}
	for _, c := range []struct {
		name, part, want string
		serve            http.HandlerFunc
	}{
		{"slow manifest", "/manifests/", "want at least 1048576 bytes per second", slow},
		{"slow blob", "/blobs/", "want at least 1048576 bytes per second", slow},
		{"endless manifest", "/manifests/", "response has more than 4194304 bytes", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 1<<16))
			}
		}},
		{"redirect to an endless manifest", "/manifests/", "response has more than 4194304 bytes", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/endless", http.StatusTemporaryRedirect)
		}},
		{"huge manifest", "/manifests/", "response has 99999999 bytes, want at most 4194304", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99999999")
		}},
		{"escape code", "/manifests/", `DENIED: a\x1b[2Jb\nc`, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"errors":[{"code":"DENIED","message":"a\u001b[2Jb\nc"}]}`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sent atomic.Int64
			var hostile atomic.Bool
			inner := registry.New(quiet())
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/endless":
					for r.Context().Err() == nil {
						n, _ := w.Write(make([]byte, 1<<16))
						sent.Add(int64(n))
					}
				case hostile.Load() && strings.Contains(r.URL.Path, c.part):
					c.serve(w, r)
				default:
					inner.ServeHTTP(w, r)
				}
			}))
			defer server.Close()
			ref := push(t, strings.TrimPrefix(server.URL, "http://"), "x:v1", image(t, "arm64", "bytes"))
			hostile.Store(true)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			f := Fetcher{Transport: NewTransport(Limits{Idle: time.Minute, MinRate: 1 << 20, Window: 50 * time.Millisecond}), Arch: "arm64", MaxSize: 10000}
			_, err := get(ctx, t, f, "image:"+ref+"!/x")
			wantError(t, err, c.want)
			if n := sent.Load(); n > 64<<20 {
				t.Errorf("server sent %d bytes", n)
			}
		})
	}
}

// The sizes in a manifest must be checked before anything is read.
func TestImageLimits(t *testing.T) {
	for _, c := range []struct {
		change func(*v1.Manifest)
		want   string
	}{
		{func(m *v1.Manifest) { m.Config.Size = maxConfig + 1 }, "config has 8388609 bytes"},
		{func(m *v1.Manifest) { m.Config.Size = -1 }, "config has -1 bytes"},
		{func(m *v1.Manifest) { m.Layers[0].Size = 1 << 40 }, "has 1099511627776 bytes"},
		{func(m *v1.Manifest) { m.Layers[0].Size = -1 }, "has -1 bytes"},
		{func(m *v1.Manifest) { m.Layers = make([]v1.Descriptor, maxLayers+1) }, "has 513 layers"},
	} {
		img := image(t, "arm64", "x")
		manifest, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		manifest = manifest.DeepCopy()
		c.change(manifest)
		wantError(t, checkImage(withManifest{img, manifest}, v1.Platform{OS: "linux", Architecture: "arm64"}), c.want)
	}
}

// withManifest is an image with another manifest.
type withManifest struct {
	v1.Image
	manifest *v1.Manifest
}

func (c withManifest) Manifest() (*v1.Manifest, error) { return c.manifest, nil }

func TestImageCredentials(t *testing.T) {
	inner := registry.New(quiet())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user+password != "u"+"p" {
			w.Header().Set("WWW-Authenticate", "Basic realm=\"x\"")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	open := httptest.NewServer(inner)
	defer open.Close()
	ref := push(t, strings.TrimPrefix(open.URL, "http://"), "x:v1", image(t, "arm64", "bytes"))
	_, digest, _ := strings.Cut(ref, "@")

	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	f := Fetcher{Transport: NewTransport(Limits{Idle: 5 * time.Second, Window: time.Minute}), Arch: "arm64", MaxSize: 10000}
	_, err := get(t.Context(), t, f, "image:"+host+"/x@"+digest+"!/x")
	wantError(t, err, "401")
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte("u:p")))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := get(t.Context(), t, f, "image:"+host+"/x@"+digest+"!/x")
	if got != "bytes" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
