package content

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
)

func sumOf(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

func parse(t *testing.T, text string) source.Source {
	t.Helper()
	s, err := source.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get gets the program "x" of a source.
func get(ctx context.Context, t *testing.T, g Getter, text string) (string, error) {
	t.Helper()
	var b bytes.Buffer
	err := g.Of("x", parse(t, text)).Write(ctx, &b)
	return b.String(), err
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v; want an error with %q", err, part)
		}
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, []byte("bytes"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := Getter{Own: func(name string) (string, error) {
		if name != "x" {
			return "", errors.New("no such program")
		}
		return path, nil
	}}
	for _, text := range []string{"", path} {
		if got, err := get(t.Context(), t, g, text); got != "bytes" || err != nil {
			t.Errorf("of %q: got %q, %v", text, got, err)
		}
		sum, err := g.Of("x", parse(t, text)).Sum(t.Context())
		if err != nil || sum.String() != sumOf("bytes") {
			t.Errorf("of %q: got sum %v, %v", text, sum, err)
		}
	}
	_, err := g.Of("y", parse(t, "")).Sum(t.Context())
	wantError(t, err, `getting "y" from this image: no such program`)
	_, err = get(t.Context(), t, g, dir)
	wantError(t, err, "is no regular file")
	_, err = get(t.Context(), t, g, filepath.Join(dir, "missing"))
	wantError(t, err, `getting "x" from `, "missing", "no such file")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := get(ended, t, g, path); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want %v", err, context.Canceled)
	}
}

// Opening a pipe that nobody writes to would wait for ever.
func TestFileRefusesPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := get(t.Context(), t, Getter{}, path)
	wantError(t, err, "is no regular file")
}

// A sum that was given is believed until the bytes are there: they may not be
// needed at all.
func TestSumAsksNobodyIfGiven(t *testing.T) {
	for _, text := range []string{"/nowhere", "https://h.invalid/x", "image:h.invalid/x:v1!/x"} {
		sum, err := Getter{}.Of("x", parse(t, text+"#sha256="+sumOf("x"))).Sum(t.Context())
		if err != nil || sum == nil || sum.String() != sumOf("x") {
			t.Errorf("of %q: got %v, %v", text, sum, err)
		}
	}
	sum, err := Getter{}.Of("x", parse(t, "image:h.invalid/x@sha256:"+sumOf("x")+"!/x")).Sum(t.Context())
	if sum != nil || err != nil {
		t.Errorf("got %v, %v; want neither", sum, err)
	}
}

func TestWeb(t *testing.T) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/program", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "bytes") })
	mux.Handle("/moved", http.RedirectHandler("/program", http.StatusFound))
	mux.Handle("/insecure", http.RedirectHandler("http://h.invalid/program?token=secret", http.StatusFound))
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1001")
		fmt.Fprint(w, "x")
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 100)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "12345")
	})
	mux.HandleFunc("/torn", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "12345")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "12345")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	g := Getter{Transport: NewTransport(100 * time.Millisecond), MaxSize: 1000}
	for _, c := range []struct{ path, want string }{
		{"/program", "bytes"},
		{"/moved", "bytes"},
		{"/missing", "error: the server says 404 Not Found"},
		{"/insecure", `error: the server sends to http on host "h.invalid"; want https`},
		{"/round", "error: more than 10 times"},
		{"/large", "error: announces 1001 bytes, more than the 1000 allowed"},
		{"/endless", "error: more than the 1000 bytes allowed came"},
		{"/cut", "error: ended after 5 of the 100 bytes"},
		{"/torn", "error: ended after 5 bytes, before the server was done"},
		{"/silent", "error: said nothing for 100ms"},
	} {
		got, err := get(t.Context(), t, g, server.URL+c.path+"?token=secret#sha256="+sumOf("bytes"))
		if want, isError := strings.CutPrefix(c.want, "error: "); isError {
			wantError(t, err, want, `getting "x" from `+server.URL+c.path)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v: has the token", err)
			}
		} else if got != c.want || err != nil {
			t.Errorf("of %s: got %q, %v; want %q", c.path, got, err, c.want)
		}
	}
}

// A slow reader is not a silent server.
func TestWebWaitsForTheDisk(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 1<<20))
	}))
	defer server.Close()
	g := Getter{Transport: NewTransport(50 * time.Millisecond), MaxSize: 1 << 20}
	n := 0
	err := g.Of("x", parse(t, server.URL+"/#sha256="+sumOf(""))).Write(t.Context(), writer(func(p []byte) {
		if n == 0 {
			time.Sleep(150 * time.Millisecond)
		}
		n += len(p)
	}))
	if n != 1<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

type writer func(p []byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

func TestWebUnknownAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	_, err := get(t.Context(), t, Getter{Transport: NewTransport(time.Second)}, server.URL+"/#sha256="+sumOf(""))
	wantError(t, err, "SSL_CERT_FILE")
}

// No client of a registry falls back on http, or is sent there.
func TestTransportKeepsToHTTPS(t *testing.T) {
	transport := NewTransport(Silence)
	for _, url := range []string{"http://10.0.0.5:5000/v2/", "http://h.example/token"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		wantError(t, err, request.Host+" is not asked by http; want https")
	}
}
