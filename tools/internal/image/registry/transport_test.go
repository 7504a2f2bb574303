package registry

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/versions"
)

// A server that accepts a connection and never responds causes a timeout.
func TestResponseTimeout(t *testing.T) {
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	defer server.Close()
	defer close(end)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := newTransport(100 * time.Millisecond).RoundTrip(request)
	if err == nil {
		response.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "timeout awaiting response headers") {
		t.Errorf("got %v, want a timeout", err)
	}
}

// A registry must not fill the memory, keep a client forever, or control a
// terminal.
func TestHostileRegistry(t *testing.T) {
	const repository = "/x/y"
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"endless manifest": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.Write(make([]byte, 1<<16))
			}
		}, "response has more than 4194304 bytes"},
		"escape code": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			w.Write([]byte(`{"errors":[{"code":"DENIED","message":"a\u001b[2Jb\nc"}]}`))
		}, `DENIED: a\x1b[2Jb\nc`},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/v2/":
				case r.Method == http.MethodHead:
					w.WriteHeader(http.StatusMethodNotAllowed)
				default:
					test.serve(w, r)
				}
			}))
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			_, manifestErr := Manifest(t.Context(), host+repository, versions.NewDigest([32]byte{}))
			checker, err := NewChecker(CheckerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			_, headErr := checker.Head(t.Context(), host+repository+":v1", []string{"amd64"})
			_, tagErr := Push{Repository: host + repository, Tags: []string{"v1"}}.Run(t.Context(), quiet(), open(t, randomLayout(t)))
			_, contentErr := Push{Repository: host + repository, ContentTag: "v1"}.Run(t.Context(), quiet(), open(t, randomLayout(t)))
			for _, err := range []error{manifestErr, headErr, tagErr, contentErr} {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
			}
		})
	}
}

// Responses to each kind of request of a push are escaped in its error.
func TestPushEscapesErrors(t *testing.T) {
	all := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	var method, path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method || !strings.Contains(r.URL.Path, path) {
			all.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		w.Write([]byte(`{"errors":[{"code":"DENIED","message":"a\u001b[2Jb\nc"}]}`))
	}))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/x"
	for _, request := range []string{"GET /v2/", "HEAD /blobs/", "POST /uploads/", "PATCH /uploads/", "PUT /uploads/", "PUT /manifests/", "PUT /manifests/v1"} {
		method, path, _ = strings.Cut(request, " ")
		_, err := Push{Repository: repository, Tags: []string{"v1"}}.Run(t.Context(), quiet(), open(t, randomLayout(t)))
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\n") || !strings.Contains(err.Error(), `DENIED: a\x1b[2Jb\nc`) && method != "HEAD" {
			t.Errorf("%s: got %q", request, err)
		}
	}
}

func TestBlobMinRate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.URL.Path != "/v2/" && r.Context().Err() == nil {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}))
	defer server.Close()
	limits := httplimit.Limits{Idle: time.Minute, MinRate: 1 << 20, Window: 50 * time.Millisecond}
	client, u, err := newBlobClient(t.Context(), strings.TrimPrefix(server.URL, "http://")+"/x", versions.NewDigest([32]byte{}),
		httplimit.NewTransport(newTransport(responseTimeout), limits))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Get(u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err == nil || !strings.Contains(err.Error(), "want at least 1048576 bytes per second") {
		t.Errorf("got %v", err)
	}
}

func TestBlobRedirect(t *testing.T) {
	var target string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/":
		case "/content":
			w.Write([]byte("content"))
		default:
			http.Redirect(w, r, target, http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	get := func(host string) error {
		client, u, err := BlobClient(t.Context(), "localhost:"+port+"/x", versions.NewDigest([32]byte{}))
		if err != nil {
			return err
		}
		target = "http://" + host + ":" + port + "/content"
		response, err := client.Get(u.String())
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	if err := get("localhost"); err != nil {
		t.Error(err)
	}
	if err := get("127.0.0.1"); err == nil || !strings.Contains(err.Error(), "internal network") {
		t.Errorf("got %v", err)
	}
	for _, host := range []string{
		"127.0.0.1", "2130706433", "0x7f000001", "127.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
		"169.254.169.254.", "0.0.0.0", "::1", "fe80::1%25eth0", "::ffff:169.254.169.254", "fd00::1", "",
	} {
		if !isInternal(host) {
			t.Errorf("%s is not internal", host)
		}
	}
	for _, host := range []string{"8.8.8.8", "storage.example.com", "2001:4860::1", "localhost"} {
		if isInternal(host) {
			t.Errorf("%s is internal", host)
		}
	}
}
