package registry

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// pushIndex pushes an index for the architectures and returns the manifests.
func pushIndex(t *testing.T, image string, architectures ...string) map[string]v1.Hash {
	t.Helper()
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	index := v1.ImageIndex(empty.Index)
	manifests := map[string]v1.Hash{}
	for _, architecture := range architectures {
		one, err := random.Image(64, 1)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
		if manifests[architecture], err = one.Digest(); err != nil {
			t.Fatal(err)
		}
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	return manifests
}

func TestHead(t *testing.T) {
	var gone string // suffix of the path of a missing manifest
	handler := ggcr.New()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone != "" && strings.HasSuffix(r.URL.Path, gone) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/v2/closed/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	manifests := pushIndex(t, host+"/both:v1", "amd64", "arm64")
	pushIndex(t, host+"/arm:v1", "arm64")
	single, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := single.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	if single, err = mutate.ConfigFile(single, config); err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(host + "/single:v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, single); err != nil {
		t.Fatal(err)
	}

	checker, err := NewChecker(CheckerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"amd64", "arm64"}
	for _, tt := range []struct{ image, gone, want string }{
		{"/both:v1", "", "[amd64 arm64]"},
		{"/arm:v1", "", "[arm64]"},
		{"/single:v1", "", "[amd64]"},
		{"/both:v1", manifests["arm64"].String(), "[amd64]"},
		{"/both@" + manifests["arm64"].String(), manifests["arm64"].String(), "not found"},
		{"/both:v2", "", "not found"},
		{"/none:v1", "", "not found"},
		{"/closed/a:v1", "", "failed"},
		{"/Wrong:v1", "", "failed"},
	} {
		gone = tt.gone
		p, err := checker.Head(context.Background(), host+tt.image, both)
		got := fmt.Sprint(p.Architectures)
		switch {
		case errors.Is(err, ErrNotFound):
			got = "not found"
		case err != nil:
			got = "failed"
		case !strings.HasPrefix(p.Digest, "sha256:"):
			t.Errorf("%s: digest %q", tt.image, p.Digest)
		}
		if got != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.image, got, err, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := checker.Head(ctx, host+"/both:v1", both); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("a cancelled request: %v", err)
	}
}

// A registry with a certificate of a private CA needs the CA bundle.
func TestHeadWithPrivateCA(t *testing.T) {
	server := httptest.NewTLSServer(ggcr.New())
	defer server.Close()
	server.Config.ErrorLog = nil
	host := strings.TrimPrefix(server.URL, "https://")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	trusting, err := NewChecker(CheckerConfig{CAs: ca})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trusting.Head(context.Background(), host+"/none:v1", []string{"amd64"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("with the bundle: %v", err)
	}
	if _, err := NewChecker(CheckerConfig{CAs: []byte("nothing")}); err == nil {
		t.Error("a bundle without certificates was accepted")
	}
	plain, err := NewChecker(CheckerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Head(context.Background(), host+"/none:v1", []string{"amd64"}); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("without the bundle: %v", err)
	}
}
