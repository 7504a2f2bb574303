package registry

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	var log bytes.Buffer
	push := func(dir string, tags ...string) (Result, error) {
		t.Helper()
		log.Reset()
		return Push{Repository: repository, Tags: tags, ContentTag: "files-1"}.Run(t.Context(), progress.New(&log, nil), open(t, dir))
	}
	first, other := randomLayout(t), randomLayout(t)
	digest := open(t, first).Digest.String()
	if _, err := push(first, "v1.36.0"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(writes(), "\n"); !strings.HasSuffix(got, "/manifests/v1.36.0\nPUT /v2/hypokube/manifests/files-1") {
		t.Errorf("wrote\n%s\nwant both tags at the end, the content tag last", got)
	}

	// The same image: no writes, and the layers are not read.
	if err := os.Remove(filepath.Join(first, "blobs", "sha256", open(t, first).Blobs[0].Digest.Hex)); err != nil {
		t.Fatal(err)
	}
	r, err := push(first, "v1.36.0")
	if got := writes(); err != nil || len(got) > 0 || r.Digest != digest || !strings.Contains(log.String(), repository+":files-1 exists: nothing to push") {
		t.Errorf("wrote %q, reported %q, %+v, %v", got, &log, r, err)
	}

	// Another tag of the same image.
	r, err = push(first, "v1.36.0-2")
	if got := strings.Join(writes(), " "); err != nil || got != "PUT /v2/hypokube/manifests/v1.36.0-2" || !strings.Contains(log.String(), "tagged "+repository+":v1.36.0-2") {
		t.Errorf("wrote %q, reported %q, %+v, %v", got, &log, r, err)
	}

	// Another image with the same files gets its own digest, never that of the
	// first image. The content tag stays.
	r, err = push(other, "v1.36.1")
	kept := Tag{"files-1", StatusKept, digest}
	if got := writes(); err != nil || r.Digest == digest || got[len(got)-1] != "PUT /v2/hypokube/manifests/v1.36.1" || r.Tags[1] != kept || !strings.Contains(log.String(), "files-1 exists and stays "+digest) {
		t.Errorf("wrote %q, reported %q, %+v, %v", got, &log, r, err)
	}
	if _, err = push(other, "v1.36.0"); err == nil || !strings.Contains(err.Error(), "refusing to move the tag "+repository+":v1.36.0") || len(writes()) > 0 {
		t.Errorf("the tag of the first image: got %v", err)
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
