package registry

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const documentType = "application/spdx+json"

// pullManifest returns a manifest by digest.
func pullManifest(t *testing.T, repo name.Repository, digest string) v1.Manifest {
	t.Helper()
	desc, err := remote.Get(repo.Digest(digest))
	if err != nil {
		t.Fatal(err)
	}
	var m v1.Manifest
	if err := json.Unmarshal(desc.Manifest, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Registries with and without the referrers API, and one that takes the missing tag
// sha256-HEX for the digest, list the same referrers.
func TestPushReferrers(t *testing.T) {
	digestTags := func(next http.Handler) http.Handler {
		var exists sync.Map
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before, tag, found := strings.Cut(r.URL.Path, "/manifests/sha256-")
			if found && r.Method == http.MethodPut {
				exists.Store(tag, true)
			} else if _, ok := exists.Load(tag); found && !ok {
				r.URL.Path = before + "/manifests/sha256:" + tag
			}
			next.ServeHTTP(w, r)
		})
	}
	for kind, handler := range map[string]http.Handler{
		"referrers API": registry.New(registry.WithReferrersSupport(true)),
		"fallback tag":  registry.New(),
		"digest tags":   digestTags(registry.New()),
	} {
		t.Run(kind, func(t *testing.T) {
			var mu sync.Mutex
			var writes []string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
					mu.Lock()
					writes = append(writes, r.URL.Path)
					mu.Unlock()
				}
				handler.ServeHTTP(w, r)
			}))
			t.Cleanup(s.Close)
			repo, err := name.NewRepository(strings.TrimPrefix(s.URL, "http://") + "/a")
			if err != nil {
				t.Fatal(err)
			}
			content := open(t, randomLayout(t))
			p := Push{Repository: repo.Name(), Tags: []string{"v1"}}
			// All manifests of the index, and the index, which is the last.
			for _, m := range content.Manifests {
				for _, text := range []string{"one", "two"} {
					p.Referrers = append(p.Referrers, Referrer{
						Subject: m.Digest.String(), MediaType: documentType, File: "document.json", Content: []byte(text + m.Digest.Hex),
						Annotations: map[string]string{"about": text},
					})
				}
			}
			p.DryRun = true
			dry, err := p.Run(t.Context(), quiet(), content)
			if err != nil || len(writes) > 0 || len(dry.Referrers) != 6 || dry.Referrers[0].Status != StatusSend {
				t.Fatalf("dry run: wrote %q, %+v, %v", writes, dry.Referrers, err)
			}
			p.DryRun = false
			first, err := p.Run(t.Context(), quiet(), content)
			if err != nil {
				t.Fatal(err)
			}
			if last := writes[len(writes)-1]; !strings.HasSuffix(last, "/manifests/v1") {
				t.Errorf("the last manifest is %s, want the tag", last)
			}
			for i, m := range content.Manifests {
				index, err := remote.Referrers(repo.Digest(m.Digest.String()))
				if err != nil {
					t.Fatal(err)
				}
				list, err := index.IndexManifest()
				if err != nil || len(list.Manifests) != 2 {
					t.Fatalf("referrers of %s: %+v, %v", m.Digest, list, err)
				}
				for _, a := range first.Referrers[2*i : 2*i+2] {
					j := slices.IndexFunc(list.Manifests, func(d v1.Descriptor) bool { return d.Digest.String() == a.Digest })
					if j < 0 || a.Subject != m.Digest.String() || a.Status != StatusSent || a != (Attachment{Upload{a.Digest, dry.Referrers[2*i].Size, StatusSent}, m.Digest.String(), documentType}) {
						t.Errorf("%+v is not among %+v", a, list.Manifests)
					}
					manifest := pullManifest(t, repo, a.Digest)
					if manifest.ArtifactType != documentType || manifest.Config.MediaType != emptyType || manifest.Subject.Digest != m.Digest || manifest.Subject.Size != m.Size || len(manifest.Layers) != 1 || manifest.Layers[0].Annotations["org.opencontainers.image.title"] != "document.json" {
						t.Errorf("manifest %+v", manifest)
					}
					layer, err := remote.Layer(repo.Digest(manifest.Layers[0].Digest.String()))
					if err != nil {
						t.Fatal(err)
					}
					r, err := layer.Compressed()
					if err != nil {
						t.Fatal(err)
					}
					if text, err := io.ReadAll(r); err != nil || string(text) != manifest.Annotations["about"]+m.Digest.Hex {
						t.Errorf("document %q, %v", text, err)
					}
				}
			}
			// Again: nothing is written.
			writes = nil
			again, err := p.Run(t.Context(), quiet(), content)
			if err != nil || len(writes) > 0 || again.Referrers[5].Status != StatusExists || again.Referrers[5].Digest != first.Referrers[5].Digest {
				t.Errorf("again: wrote %q, %+v, %v", writes, again.Referrers, err)
			}
			// A registry that was filled in another order has the same manifests.
			slices.Reverse(p.Referrers)
			p.Repository = strings.Replace(p.Repository, "/a", "/b", 1)
			other, err := p.Run(t.Context(), quiet(), content)
			if err != nil || other.Referrers[5].Digest != first.Referrers[0].Digest {
				t.Errorf("another order: %+v, %v", other.Referrers, err)
			}
		})
	}
}

// A document about another image is refused before anything is tagged.
func TestPushForeignReferrer(t *testing.T) {
	host, writes := server(t)
	content := open(t, randomLayout(t))
	p := Push{Repository: host + "/a", Tags: []string{"v1"}, Referrers: []Referrer{{Subject: "sha256:" + strings.Repeat("0", 64), MediaType: documentType}}}
	_, err := p.Run(t.Context(), quiet(), content)
	if err == nil || !strings.Contains(err.Error(), "want a manifest of the image") || slices.ContainsFunc(writes(), func(w string) bool { return strings.HasSuffix(w, "/manifests/v1") }) {
		t.Errorf("got %v", err)
	}
}
