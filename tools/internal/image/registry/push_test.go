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
	ggcrlayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
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
	for name, add := range map[string]func(ggcrlayout.Path) error{
		"index": func(p ggcrlayout.Path) error { return p.AppendIndex(index) },
		"image": func(p ggcrlayout.Path) error { return p.AppendImage(image) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, err := ggcrlayout.Write(dir, empty.Index)
			if err == nil {
				err = add(path)
			}
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			repository := host + "/" + name
			result, err := Push{Repository: repository, Tags: []string{"v1", "v2"}}.Run(t.Context(), progress.New(&log, nil), open(t, dir))
			if err != nil {
				t.Fatal(err)
			}
			digest := result.Digest
			first := writes()
			// A tag is written after everything that it refers to.
			last := first[len(first)-3:]
			want := []string{"PUT /v2/" + name + "/manifests/" + digest, "PUT /v2/" + name + "/manifests/v1", "PUT /v2/" + name + "/manifests/v2"}
			if strings.Join(last, "\n") != strings.Join(want, "\n") {
				t.Errorf("last writes %q, want %q", last, want)
			}
			if !strings.Contains(log.String(), "pushing "+repository+"@"+digest+": done") {
				t.Errorf("log: %s", &log)
			}
			check(t, repository+":v2")
			if _, err := (Push{Repository: repository, Tags: []string{"v1"}}).Run(t.Context(), progress.New(io.Discard, nil), open(t, dir)); err != nil {
				t.Fatal(err)
			}
			if again := writes(); len(again) > 0 {
				t.Errorf("the second push wrote %q", again)
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
		if _, err := (Push{Repository: repository}).Run(t.Context(), progress.New(io.Discard, nil), layout.Content{}); err == nil || !strings.Contains(err.Error(), "--repository: ") {
			t.Errorf("%q: got %v", repository, err)
		}
	}
}
