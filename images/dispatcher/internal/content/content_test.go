package content

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/imagefile"
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

// get returns the content of the program "x" of a source.
func get(ctx context.Context, t *testing.T, f Fetcher, text string) (string, error) {
	t.Helper()
	var b bytes.Buffer
	err := fetch(ctx, t, f, text, &b)
	return b.String(), err
}

// fetch writes the program "x" of a source to w, once it is complete.
func fetch(ctx context.Context, t *testing.T, f Fetcher, text string, w io.Writer) error {
	t.Helper()
	o := output{w}
	return f.Fetch(ctx, []Job{{f.Content("x", parse(t, text)), func() (imagefile.Output, error) { return o, nil }}})
}

// output is an output of which only the bytes count.
type output struct{ io.Writer }

func (output) Commit() error  { return nil }
func (output) Discard() error { return nil }

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
	f := Fetcher{FindProgram: func(name string) (string, error) {
		if name != "x" {
			return "", errors.New("no such program")
		}
		return path, nil
	}}
	for _, text := range []string{"", path} {
		if got, err := get(t.Context(), t, f, text); got != "bytes" || err != nil {
			t.Errorf("of %q: got %q, %v", text, got, err)
		}
		sum, err := f.Content("x", parse(t, text)).Sum(t.Context(), 5)
		if err != nil || sum.String() != sumOf("bytes") {
			t.Errorf("of %q: got sum %v, %v", text, sum, err)
		}
	}
	if sum, err := f.Content("x", parse(t, path)).Sum(t.Context(), 6); sum != nil || err != nil {
		t.Errorf("got sum %v, %v of a file of another size", sum, err)
	}
	_, err := f.Content("y", parse(t, "")).Sum(t.Context(), 5)
	wantError(t, err, `reading "y" from this image: no such program`)
	_, err = get(t.Context(), t, f, dir)
	wantError(t, err, "is not a regular file")
	_, err = get(t.Context(), t, f, filepath.Join(dir, "missing"))
	wantError(t, err, `reading "x" from `, "missing", "no such file")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := get(ended, t, f, path); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want %v", err, context.Canceled)
	}
}

// Opening a pipe without a writer would block.
func TestFileRefusesPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := get(t.Context(), t, Fetcher{}, path)
	wantError(t, err, "is not a regular file")
}

// A given sum must be returned without access to the source: the program may be
// installed already.
func TestSumWithoutAccess(t *testing.T) {
	for _, text := range []string{"/nowhere", "https://h.invalid/x", "image:h.invalid/x:v1!/x"} {
		sum, err := Fetcher{}.Content("x", parse(t, text+"#sha256="+sumOf("x"))).Sum(t.Context(), 5)
		if err != nil || sum == nil || sum.String() != sumOf("x") {
			t.Errorf("of %q: got %v, %v", text, sum, err)
		}
	}
	sum, err := Fetcher{}.Content("x", parse(t, "image:h.invalid/x@sha256:"+sumOf("x")+"!/x")).Sum(t.Context(), 5)
	if sum != nil || err != nil {
		t.Errorf("got %v, %v; want neither", sum, err)
	}
}

func TestDownload(t *testing.T) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/program", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "bytes") })
	mux.Handle("/moved", http.RedirectHandler("/program", http.StatusFound))
	mux.Handle("/insecure", http.RedirectHandler("http://h.invalid/program?token=secret", http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
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
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "12345")
	})
	mux.HandleFunc("/aborted", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "12345")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "12345")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	f := Fetcher{Transport: NewTransport(Limits{Idle: 100 * time.Millisecond, Window: time.Minute}), MaxSize: 1000}
	for _, c := range []struct{ path, want string }{
		{"/program", "bytes"},
		{"/moved", "bytes"},
		{"/missing", "error: unexpected status 404 Not Found"},
		{"/insecure", `error: refusing redirect to http on host "h.invalid": want https`},
		{"/loop", "error: more than 10 redirects"},
		{"/large", "error: content length is 1001 bytes, want at most 1000"},
		{"/endless", "error: response has more than 1000 bytes"},
		{"/short", "error: unexpected EOF after 5 of 100 bytes"},
		{"/aborted", "error: unexpected EOF after 5 bytes"},
		{"/silent", "error: server sent nothing for 100ms"},
	} {
		got, err := get(t.Context(), t, f, server.URL+c.path+"?token=secret#sha256="+sumOf("bytes"))
		if want, isError := strings.CutPrefix(c.want, "error: "); isError {
			wantError(t, err, want, `reading "x" from `+server.URL+c.path)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v has the token", err)
			}
		} else if got != c.want || err != nil {
			t.Errorf("of %s: got %q, %v; want %q", c.path, got, err, c.want)
		}
	}
}

// The idle timeout does not count the time between reads.
func TestDownloadSlowWriter(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 1<<20))
	}))
	defer server.Close()
	f := Fetcher{Transport: NewTransport(Limits{Idle: 50 * time.Millisecond, MinRate: 1 << 30, Window: 50 * time.Millisecond}), MaxSize: 1 << 20}
	n := 0
	err := fetch(t.Context(), t, f, server.URL+"/#sha256="+sumOf(""), writer(func(p []byte) {
		if n == 0 {
			time.Sleep(150 * time.Millisecond)
		}
		n += len(p)
	}))
	if n != 1<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// A server that sends a little from time to time must not keep a run forever.
func TestDownloadMinRate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}))
	defer server.Close()
	f := Fetcher{Transport: NewTransport(Limits{Idle: time.Minute, MinRate: 1 << 20, Window: 50 * time.Millisecond}), MaxSize: 1 << 20}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := get(ctx, t, f, server.URL+"/#sha256="+sumOf(""))
	wantError(t, err, "server sent ", "want at least 1048576 bytes per second")
}

// A server that is fast on average may pause, and may start slowly.
func TestDownloadPauses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			w.(http.Flusher).Flush()
			time.Sleep(60 * time.Millisecond)
			_, _ = w.Write(make([]byte, 1<<20))
		}
	}))
	defer server.Close()
	f := Fetcher{Transport: NewTransport(Limits{Idle: time.Minute, MinRate: 1 << 10, Window: 50 * time.Millisecond}), MaxSize: 3 << 20}
	got, err := get(t.Context(), t, f, server.URL+"/#sha256="+sumOf(""))
	if len(got) != 3<<20 || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// Terminals would interpret the control characters of a server's text.
func TestDownloadControlCharacters(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, buffer, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		_, _ = buffer.WriteString("HTTP/1.1 500 \x1b]0;x\a\u009b2J\x80 é\r\nContent-Length: 0\r\n\r\n")
		_ = buffer.Flush()
	}))
	defer server.Close()
	_, err := get(t.Context(), t, Fetcher{Transport: NewTransport(DefaultLimits)}, server.URL+"/#sha256="+sumOf(""))
	wantError(t, err, `unexpected status 500 \x1b]0;x\a\u009b2J\x80 é`)
}

type writer func(p []byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

func TestDownloadUnknownAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	_, err := get(t.Context(), t, Fetcher{Transport: NewTransport(DefaultLimits)}, server.URL+"/#sha256="+sumOf(""))
	wantError(t, err, "SSL_CERT_FILE")
}

func TestDownloadRefusesDowngrade(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	server := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/program", http.StatusFound))
	defer server.Close()
	_, err := get(t.Context(), t, Fetcher{Transport: server.Client().Transport}, server.URL+"/#sha256="+sumOf(""))
	wantError(t, err, "refusing redirect to http on host")
}

// Registry clients fall back to http, and follow redirects to it.
func TestTransportRefusesHTTP(t *testing.T) {
	transport := NewTransport(DefaultLimits)
	for _, url := range []string{"http://10.0.0.5:5000/v2/", "http://h.example/token"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		wantError(t, err, "refusing to connect to "+request.Host+" over http: want https")
	}
}
