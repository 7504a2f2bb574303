//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// registry is a docker-registry behind a proxy that counts uploads.
type registry struct {
	t       *testing.T
	config  string
	backend *url.URL
	process *exec.Cmd

	addr    string       // of the proxy: 127.0.0.1:PORT
	uploads atomic.Int64 // requests with bytes of blobs
	sent    atomic.Int64 // bytes of blobs
	onSent  func(total int64)

	mu    sync.Mutex
	blobs map[string]bool // digests of completed uploads
}

const registryConfig = `version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: %s}
  delete: {enabled: true}
http:
  addr: %s
`

func startRegistry(t *testing.T) *registry {
	t.Helper()
	dir := t.TempDir()
	addr := freeAddr(t)
	r := &registry{t: t, config: filepath.Join(dir, "config.yml"), backend: &url.URL{Scheme: "http", Host: addr}}
	config := fmt.Sprintf(registryConfig, filepath.Join(dir, "data"), addr)
	if err := os.WriteFile(r.config, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(r.backend)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.Contains(q.URL.Path, "/blobs/uploads/") && q.Method != http.MethodPost && q.ContentLength != 0 {
			r.uploads.Add(1)
			q.Body = &countingBody{q.Body, r}
		}
		if digest := q.URL.Query().Get("digest"); digest != "" && q.Method == http.MethodPut {
			r.put(digest)
		}
		proxy.ServeHTTP(w, q)
	}))
	r.addr = strings.TrimPrefix(server.URL, "http://")
	t.Cleanup(func() {
		server.Close()
		r.kill()
	})
	r.start()
	return r
}

func (r *registry) put(digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blobs == nil {
		r.blobs = map[string]bool{}
	}
	r.blobs[digest] = true
}

// uploaded returns the number of blobs uploaded since its last call.
func (r *registry) uploaded() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.blobs)
	r.blobs = nil
	return n
}

func (r *registry) start() {
	r.t.Helper()
	cmd := exec.Command(client(r.t, "docker-registry"), "serve", r.config)
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.process = cmd
	wait(r.t, "the registry", func() error {
		response, err := http.Get(r.backend.String() + "/v2/")
		if err == nil {
			err = response.Body.Close()
		}
		return err
	})
}

// kill kills the registry, as a power failure would.
func (r *registry) kill() {
	if r.process == nil {
		return
	}
	if err := r.process.Process.Kill(); err != nil {
		r.t.Error(err)
	}
	_ = r.process.Wait() // killed
	r.process = nil
}

// countingBody counts the bytes of uploads.
type countingBody struct {
	io.ReadCloser
	r *registry
}

func (c *countingBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	total := c.r.sent.Add(int64(n))
	if c.r.onSent != nil {
		c.r.onSent(total)
	}
	return n, err
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// wait waits up to 15 seconds for a server to be ready.
func wait(t *testing.T, server string, ready func() error) {
	t.Helper()
	var err error
	for range 150 {
		if err = ready(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s is not ready: %v", server, err)
}

// client returns the path of a program that must be installed.
func client(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: apt-get install docker-registry skopeo containerd podman docker.io lz4 zstd", err)
	}
	return path
}
