package registry

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// server starts an in-process registry that records the writes.
func server(t *testing.T) (host string, writes func() []string) {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	var mu sync.Mutex
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut || r.Method == http.MethodPatch {
			mu.Lock()
			seen = append(seen, r.Method+" "+r.URL.Path)
			mu.Unlock()
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := seen
		seen = nil
		return out
	}
}

func TestPush(t *testing.T) {
	host, writes := server(t)
	index, err := random.Index(4096, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	image, err := random.Image(4096, 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, add := range map[string]func(layout.Path) error{
		"index": func(p layout.Path) error { return p.AppendIndex(index) },
		"image": func(p layout.Path) error { return p.AppendImage(image) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, err := layout.Write(dir, empty.Index)
			if err == nil {
				err = add(path)
			}
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			repository := host + "/" + name
			digest, err := Push(t.Context(), progress.New(&log, nil), dir, repository, []string{"v1", "v2"}, "")
			if err != nil {
				t.Fatal(err)
			}
			first := writes()
			// A tag is written after everything that it refers to.
			last := first[len(first)-3:]
			want := []string{"PUT /v2/" + name + "/manifests/" + digest.String(), "PUT /v2/" + name + "/manifests/v1", "PUT /v2/" + name + "/manifests/v2"}
			if strings.Join(last, "\n") != strings.Join(want, "\n") {
				t.Errorf("last writes %q, want %q", last, want)
			}
			if !strings.Contains(log.String(), "pushing "+repository+"@"+digest.String()+": done") {
				t.Errorf("log: %s", &log)
			}
			check(t, repository+":v2")
			if _, err := Push(t.Context(), progress.New(io.Discard, nil), dir, repository, []string{"v1"}, ""); err != nil {
				t.Fatal(err)
			}
			for _, w := range writes() {
				if strings.Contains(w, "/blobs/") {
					t.Errorf("the second push wrote %s", w)
				}
			}
		})
	}
}

func check(t *testing.T, ref string) {
	t.Helper()
	tag, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	d, err := remote.Get(tag)
	if err != nil {
		t.Fatal(err)
	}
	if d.MediaType.IsIndex() {
		index, err := d.ImageIndex()
		if err == nil {
			err = validate.Index(index)
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	image, err := d.Image()
	if err == nil {
		err = validate.Image(image)
	}
	if err != nil {
		t.Error(err)
	}
}

// Repositories without a registry or with invalid names are rejected before any
// request.
func TestPushInvalidRepository(t *testing.T) {
	for _, repository := range []string{"hyperkube", "hyperkube/kubectl", "registry.example/hyperkube:v1", "registry.example/UPPER", ""} {
		if _, err := Push(t.Context(), progress.New(io.Discard, nil), t.TempDir(), repository, nil, ""); err == nil || !strings.Contains(err.Error(), "pushing to") {
			t.Errorf("%q: got %v", repository, err)
		}
	}
}
