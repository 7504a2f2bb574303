//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// With --//tools/oci:cas, a push gets no layers from Bazel. It reads from the remote
// cache those that the registry does not have.
func TestPushFromCAS(t *testing.T) {
	r := startRegistry(t)
	layout := bazelOutput(t, "//images:kubectl_v1_36_0")
	var read atomic.Int64
	cas := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		read.Add(1)
		http.ServeFile(w, q, filepath.Join(layout, "blobs", "sha256", path.Base(q.URL.Path)))
	}))
	defer cas.Close()
	for _, push := range []struct {
		tag    string
		layers int64 // to read: one for each architecture
	}{{"first", 2}, {"second", 0}} {
		must(t, "./bazelw", "run", "--//tools/oci:cas="+cas.URL, "//images:push_kubectl_v1_36_0", "--", "--repository", r.addr+"/kubectl", "--tag", push.tag)
		if n := read.Swap(0); n != push.layers {
			t.Errorf("%s push: read %d layers, want %d", push.tag, n, push.layers)
		}
		if got, want := strings.TrimSpace(must(t, craneCommand(t), "digest", r.addr+"/kubectl:"+push.tag)), record(t, "kubectl:"+version).Index; got != want {
			t.Errorf("%s push: index %s, want %s", push.tag, got, want)
		}
	}
	must(t, craneCommand(t), "validate", "--remote", r.addr+"/kubectl:second")
}
