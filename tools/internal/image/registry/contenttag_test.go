package registry

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	ggcrlayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

func open(t *testing.T, dir string) layout.Content {
	t.Helper()
	content, err := layout.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func randomLayout(t *testing.T) string {
	t.Helper()
	index, err := random.Index(4096, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, err := ggcrlayout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendIndex(index)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPushContentTag(t *testing.T) {
	host, writes := server(t)
	repository := host + "/hypokube"
	push := func(dir string, tags ...string) (digest, messages string) {
		t.Helper()
		var log bytes.Buffer
		r, err := Push{Repository: repository, Tags: tags, ContentTag: "files-1"}.Run(t.Context(), progress.New(&log, nil), open(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		return r.Digest, log.String()
	}
	first, other := randomLayout(t), randomLayout(t)
	digest, _ := push(first, "v1.36.0")
	if got := strings.Join(writes(), "\n"); !strings.HasSuffix(got, "/manifests/v1.36.0\nPUT /v2/hypokube/manifests/files-1") {
		t.Errorf("wrote\n%s\nwant both tags at the end, the content tag last", got)
	}

	// The same image, and another image with the same content tag: no writes.
	for _, dir := range []string{first, other} {
		again, messages := push(dir, "v1.36.0")
		if got := writes(); len(got) > 0 || again != digest || !strings.Contains(messages, repository+":files-1 exists: nothing to push") {
			t.Errorf("wrote %q, reported %q, digest %s, want %s", got, messages, again, digest)
		}
	}

	// Another version with the same content adds only a tag.
	again, messages := push(other, "v1.36.1")
	if got := strings.Join(writes(), " "); got != "PUT /v2/hypokube/manifests/v1.36.1" || again != digest || !strings.Contains(messages, "tagged "+repository+":v1.36.1") {
		t.Errorf("wrote %q, reported %q, digest %s, want %s", got, messages, again, digest)
	}
}

// An error other than "not found" must not cause a push.
func TestPushContentTagForbidden(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(s.Close)
	repository := strings.TrimPrefix(s.URL, "http://") + "/hypokube"
	_, err := Push{Repository: repository, ContentTag: "files-1"}.Run(t.Context(), progress.New(&bytes.Buffer{}, nil), open(t, randomLayout(t)))
	if err == nil || !strings.Contains(err.Error(), "checking "+repository+":files-1: ") {
		t.Errorf("got %v", err)
	}
}
