package fetch

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
)

// Errors that no other attempt would avoid are reported at once, and name the last
// URL without its query.
func TestDownloadRedirects(t *testing.T) {
	for name, test := range map[string]struct {
		location string // SERVER stands for the URL of the server
		want     string
	}{
		"loop":          {"/release/" + kubelet, `SERVER/release/` + kubelet + `": redirect loop`},
		"file":          {"file:///etc/passwd", `redirected to "file:///etc/passwd": want https or http`},
		"other page":    {"/missing?token=secret", `SERVER/missing": got status 404 Not Found`},
		"other program": {"/other?token=secret", `redirected to SERVER/other": want sha256`},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			s, pin, log := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				switch r.URL.Path {
				case "/missing":
					http.NotFound(w, r)
				case "/other":
					w.Write(program(previous))
				default:
					w.Header().Set("Location", test.location)
					w.WriteHeader(http.StatusFound)
				}
			}))
			err := s.Ensure(t.Context(), pin)
			want := strings.ReplaceAll(test.want, "SERVER", s.Upstream)
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), s.Upstream+"/release/"+kubelet) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %q and the first URL", err, want)
			}
			if requests > 2 || strings.Contains(log.String(), "retrying") {
				t.Errorf("%d requests; log: %s", requests, log)
			}
		})
	}
}

func TestDownloadRefusesDowngrade(t *testing.T) {
	requested := false
	s, pin, _ := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { requested = true }))
	server := httptest.NewTLSServer(http.RedirectHandler(s.Upstream+"/x", http.StatusFound))
	defer server.Close()
	client := *defaultClient
	client.Transport = server.Client().Transport
	s.Upstream, s.client = server.URL, &client
	if err := s.Ensure(t.Context(), pin); err == nil || !strings.Contains(err.Error(), "refusing to continue without encryption") || requested {
		t.Errorf("got %v; requested without encryption: %v", err, requested)
	}
}

// A file whose size is not in the lock is bounded, too.
func TestDownloadTooLarge(t *testing.T) {
	requests := 0
	s, pin, log := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if r.URL.Path != "/endless" {
			w.Header().Set("Content-Length", fmt.Sprint(maxDownload+1))
			return
		}
		for r.Context().Err() == nil {
			w.Write(make([]byte, 1<<10))
		}
	}))
	if err := s.Ensure(t.Context(), pin); err == nil || !strings.Contains(err.Error(), "want at most 1073741824 bytes, got a response of 1073741825") {
		t.Errorf("got %v", err)
	}
	u, err := url.Parse(s.Upstream + "/endless")
	if err != nil {
		t.Fatal(err)
	}
	err = s.transfer(t.Context(), transfer{client: defaultClient, url: u, digest: pin.SHA256, limit: 100_000})
	if err == nil || !strings.Contains(err.Error(), "want at most 100000 bytes, got more") {
		t.Errorf("got %v", err)
	}
	if requests != 2 {
		t.Errorf("%d requests; log: %s", requests, log)
	}
	checkStore(t, s.Store)
}

func TestDownloadMinRate(t *testing.T) {
	s, pin, log := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}))
	s.client = newClient(httplimit.Limits{Idle: time.Minute, MinRate: 1 << 20, Window: 20 * time.Millisecond})
	u, err := s.downloadURL(pin)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.downloadOnce(t.Context(), pin, u); err == nil || !strings.Contains(err.Error(), "want at least 1048576 bytes per second") {
		t.Errorf("got %v; log: %s", err, log)
	}
}

func TestDownloadEscapesReasonPhrase(t *testing.T) {
	s, pin, _ := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, buffer, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		buffer.WriteString("HTTP/1.1 404 \x1b[2J\r\nContent-Length: 0\r\n\r\n")
		buffer.Flush()
	}))
	if err := s.Ensure(t.Context(), pin); err == nil || !strings.Contains(err.Error(), `got status 404 \x1b[2J`) {
		t.Errorf("got %v", err)
	}
}

func TestDownloadCompressed(t *testing.T) {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	if _, err := w.Write(program(kubelet)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for encoding, want := range map[string]string{
		"":     "it is compressed with gzip; want the uncompressed program",
		"gzip": `the server encoded it with "gzip"; want the file as it is`,
	} {
		s, pin, _ := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if encoding != "" {
				w.Header().Set("Content-Encoding", encoding)
			}
			w.Write(compressed.Bytes())
		}))
		if err := s.Ensure(t.Context(), pin); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "truncated") {
			t.Errorf("encoding %q: got %v, want %q", encoding, err, want)
		}
	}
}
