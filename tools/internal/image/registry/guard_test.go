package registry

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

func quiet() *progress.Reporter { return progress.New(io.Discard, nil) }

// A layout with a changed layer is refused before a write to the registry.
func TestPushVerifiesLayers(t *testing.T) {
	var writes []string
	handler := registry.New()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			writes = append(writes, r.Method+" "+r.URL.Path)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	dir := randomLayout(t)
	content := open(t, dir)
	layer := filepath.Join(dir, "blobs", "sha256", content.Blobs[len(content.Blobs)-2].Digest.Hex)
	raw, err := os.ReadFile(layer)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(layer, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dryRun := range []bool{false, true} {
		p := Push{Repository: strings.TrimPrefix(s.URL, "http://") + "/a", Tags: []string{"v1"}, DryRun: dryRun}
		_, err := p.Run(t.Context(), quiet(), content)
		if err == nil || !strings.Contains(err.Error(), "want sha256 "+filepath.Base(layer)) || len(writes) > 0 {
			t.Errorf("got %v and requests %q", err, writes)
		}
	}
}

// A tag with another digest is moved with Force only. One such tag prevents the
// upload.
func TestPushRefusesToMoveTags(t *testing.T) {
	host, writes := server(t)
	first, second := open(t, randomLayout(t)), open(t, randomLayout(t))
	p := Push{Repository: host + "/a", Tags: []string{"v1"}}
	if _, err := p.Run(t.Context(), quiet(), first); err != nil {
		t.Fatal(err)
	}
	writes()
	p.Tags = []string{"v2", "v1"}
	_, err := p.Run(t.Context(), quiet(), second)
	want := "refusing to move the tag " + host + "/a:v1 from " + first.Digest.String() + " to " + second.Digest.String()
	if got := writes(); err == nil || !strings.Contains(err.Error(), want) || cli.Code("", io.Discard, err) != cli.ExitDrift || len(got) > 0 {
		t.Errorf("got %v and requests %q, want %s", err, got, want)
	}
	p.DryRun = true
	result, err := p.Run(t.Context(), quiet(), second)
	if err == nil || result.Tags[0].Status != StatusSend || result.Tags[1] != (Tag{"v1", StatusRefused, first.Digest.String()}) {
		t.Errorf("dry run: got %+v, %v", result, err)
	}
	p.Force = true
	if result, err = p.Run(t.Context(), quiet(), second); err != nil || result.Tags[1] != (Tag{"v1", StatusSend, first.Digest.String()}) || len(writes()) > 0 {
		t.Errorf("dry run with force: got %+v, %v", result, err)
	}
	p.DryRun = false
	if result, err = p.Run(t.Context(), quiet(), second); err != nil || result.Tags[1] != (Tag{"v1", StatusSent, first.Digest.String()}) {
		t.Errorf("with force: got %+v, %v", result, err)
	}
	writes()
	p.Force = false
	if result, err = p.Run(t.Context(), quiet(), second); err != nil || result.Tags[1].Status != StatusExists || len(writes()) > 0 {
		t.Errorf("again: got %+v, %v", result, err)
	}
}

// A dry run writes nothing and reports what exists.
func TestPushDryRun(t *testing.T) {
	host, writes := server(t)
	content := open(t, randomLayout(t))
	p := Push{Repository: host + "/a", Tags: []string{"v1", "v2"}, DryRun: true}
	dryRun := func(status Status) {
		t.Helper()
		result, err := p.Run(t.Context(), quiet(), content)
		if err != nil || len(writes()) > 0 {
			t.Fatalf("got %v", err)
		}
		var text bytes.Buffer
		result.Print(&text)
		// Two images with two layers and a config each, their index, and two tags.
		if got := strings.Count(text.String(), ": "+string(status)+"\n"); got != 11 {
			t.Errorf("%d times %s in\n%s", got, status, &text)
		}
	}
	dryRun(StatusSend)
	p.DryRun = false
	if _, err := p.Run(t.Context(), quiet(), content); err != nil {
		t.Fatal(err)
	}
	writes()
	p.DryRun = true
	dryRun(StatusExists)
}

// A tag is found in registries without HEAD, too. An error is not taken for a
// missing tag.
func TestPushChecksTags(t *testing.T) {
	handler := registry.New()
	status := http.StatusMethodNotAllowed
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/manifests/v1") && (r.Method == http.MethodHead || status == http.StatusForbidden) {
			w.WriteHeader(status)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	p := Push{Repository: strings.TrimPrefix(s.URL, "http://") + "/a", Tags: []string{"v1"}}
	if _, err := p.Run(t.Context(), quiet(), open(t, randomLayout(t))); err != nil {
		t.Fatal(err)
	}
	other := open(t, randomLayout(t))
	if _, err := p.Run(t.Context(), quiet(), other); err == nil || !strings.Contains(err.Error(), "refusing to move the tag") {
		t.Errorf("without HEAD: got %v", err)
	}
	status = http.StatusForbidden
	if _, err := p.Run(t.Context(), quiet(), other); err == nil || !strings.Contains(err.Error(), "checking "+p.Repository+":v1: ") {
		t.Errorf("forbidden: got %v", err)
	}
}

// A registry that hides a repository that does not exist from readers accepts a
// push.
func TestPushToNewRepository(t *testing.T) {
	handler := registry.New()
	var host string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := "reader"
		if strings.Contains(r.URL.Query().Get("scope"), "push") {
			token = "writer"
		}
		switch {
		case r.URL.Path == "/token":
			fmt.Fprintf(w, `{"token": %q}`, token)
		case r.Header.Get("Authorization") == "Bearer writer":
			handler.ServeHTTP(w, r)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+host+`/token",service="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(s.Close)
	host = strings.TrimPrefix(s.URL, "http://")
	p := Push{Repository: host + "/new", Tags: []string{"v1"}}
	if _, err := p.Run(t.Context(), quiet(), open(t, randomLayout(t))); err != nil {
		t.Error(err)
	}
}

// A word that is no tag is refused before the first request: a registry may take it
// for another path.
func TestPushTagNames(t *testing.T) {
	content := open(t, randomLayout(t))
	for _, tag := range []string{"", "a b", "../b/manifests/v1", "v1@sha256:0", "a:b"} {
		_, err := Push{Repository: "registry.invalid/a", Tags: []string{tag}}.Run(t.Context(), quiet(), content)
		if err == nil || cli.Code("", io.Discard, err) != cli.ExitUsage || !strings.Contains(err.Error(), fmt.Sprintf("%q is not a tag", tag)) {
			t.Errorf("%q: got %v", tag, err)
		}
	}
}
