package fetch

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
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// program returns bytes that begin like an ELF file.
func program(what string) []byte {
	return append([]byte("\x7fELF"), bytes.Repeat([]byte(what+" "), 10_000)...)
}

const (
	kubelet  = "kubernetes/v1.36.0/linux/amd64/kubelet"
	swapped  = "kubernetes/v1.36.0/linux/arm64/kubelet"
	previous = "kubernetes/v1.35.0/linux/amd64/kubelet"
)

// newFetcher returns a fetcher of three pinned files whose mirror is the handler.
func newFetcher(t *testing.T, handler http.Handler) (*Fetcher, versions.Pin, *bytes.Buffer) {
	t.Helper()
	lock := versions.NewLock()
	var wanted versions.Pin
	for _, name := range []string{kubelet, swapped, previous} {
		key, err := versions.ParseFileKey(name)
		if err != nil {
			t.Fatal(err)
		}
		data := program(name)
		digest := versions.NewDigest(sha256.Sum256(data))
		pin := versions.Pin{FileKey: key, SHA256: digest, Size: int64(len(data)), URL: "https://dl.k8s.io/release/" + name}
		lock.Set(pin)
		if name == kubelet {
			wanted = pin
		}
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	var log bytes.Buffer
	return &Fetcher{
		Catalog: &versions.Catalog{
			Manifest: &versions.Manifest{Sources: []versions.Source{{Name: "kubernetes", Kind: versions.KindRelease}}},
			Lock:     lock,
		},
		Store:    store.New(t.TempDir()),
		Upstream: server.URL,
		Progress: progress.New(&log, nil),
		Log:      &log,
	}, wanted, &log
}

func serve(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(b) }
}

func TestDownload(t *testing.T) {
	var requested []string
	s, pin, log := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requested = append(requested, r.URL.Path)
		w.Write(program(kubelet))
	}))
	for range 2 {
		if err := s.Ensure(context.Background(), pin); err != nil {
			t.Fatal(err)
		}
	}
	if len(requested) != 1 || requested[0] != "/release/"+kubelet {
		t.Errorf("requested %q, want the mirror's path once", requested)
	}
	if !strings.Contains(log.String(), "downloading "+kubelet+": done") {
		t.Errorf("log: %s", log)
	}
	to := filepath.Join(t.TempDir(), "kubelet")
	if err := s.Copy(t.Context(), pin, to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, program(kubelet)) {
		t.Errorf("copied %d bytes, %v", len(got), err)
	}
}

// Each of these was once served in place of a binary.
func TestDownloadMismatch(t *testing.T) {
	whole := program(kubelet)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    []string
	}{
		"HTML page":            {serve([]byte("\n<!DOCTYPE html><html><body>Sign in")), []string{`it is an HTML page, not a program: "\n<!DOCTYPE html>`, "truncated, or another file: 35 of"}},
		"XML error":            {serve([]byte("<?xml version='1.0'?><Error><Code>NoSuchKey")), []string{`it is an XML document`}},
		"another architecture": {serve(program(swapped)), []string{"it is " + swapped + " (another platform)"}},
		"another version":      {serve(program(previous)), []string{"it is " + previous + " (another version)"}},
		"truncated by a proxy": {serve(whole[:5000]), []string{fmt.Sprintf("it is truncated, or another file: 5000 of %d bytes", len(whole))}},
		"text":                 {serve(bytes.Repeat([]byte("x"), len(whole))), []string{`it is not a Linux program: "xxx`}},
		"too much":             {serve(append(bytes.Clone(whole), 'x')), []string{fmt.Sprintf("and %d bytes, got more", len(whole))}},
		"404":                  {http.NotFound, []string{"got status 404 Not Found"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, pin, _ := newFetcher(t, test.handler)
			err := s.Ensure(context.Background(), pin)
			if err == nil {
				t.Fatal("no error")
			}
			want := append(test.want, "fetching "+kubelet, s.Upstream+"/release/"+kubelet)
			if name != "404" {
				want = append(want, pin.SHA256.String())
			}
			for _, part := range want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got\n%v\nwant %q in it", err, part)
				}
			}
			left, globErr := filepath.Glob(filepath.Join(filepath.Dir(s.Store.Path(pin.SHA256)), "*"))
			if globErr != nil || len(left) != 0 {
				t.Errorf("left in the store: %q", left)
			}
		})
	}
}

func TestDownloadRetriesTransientErrors(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"429": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"connection cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			w.Write(program(kubelet)[:1000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			s, pin, log := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n++; n == 1 {
					fail(w, r)
					return
				}
				w.Write(program(kubelet))
			}))
			if err := s.Ensure(context.Background(), pin); err != nil {
				t.Fatal(err)
			}
			if name == "connection cut" && !strings.Contains(log.String(), "unexpected EOF after 1000 of 1000000 bytes") {
				t.Errorf("log: %s", log)
			}
			if n != 2 || !strings.Contains(log.String(), "retrying in 2s") {
				t.Errorf("%d requests; log: %s", n, log)
			}
		})
	}
}

func TestRebuild(t *testing.T) {
	whole := serve(program(kubelet))
	for name, test := range map[string]struct {
		handler  http.HandlerFunc
		upstream string
		allowed  bool
		rebuilt  bool
		want     string
	}{
		"downloads off":                {whole, Off, true, true, ""},
		"downloads and rebuilds off":   {whole, Off, false, false, "downloads are disabled"},
		"download succeeds":            {whole, "", true, false, ""},
		"download fails":               {http.NotFound, "", true, true, ""},
		"download fails, rebuilds off": {http.NotFound, "", false, false, "404 Not Found"},
		"mismatch":                     {serve(program(previous)), "", true, false, "it is " + previous},
	} {
		t.Run(name, func(t *testing.T) {
			s, pin, _ := newFetcher(t, test.handler)
			if test.upstream != "" {
				s.Upstream = test.upstream
			}
			rebuilt := false
			if test.allowed {
				s.Rebuild = func(ctx context.Context, pin versions.Pin) error {
					rebuilt = true
					return s.Store.Put(ctx, pin.SHA256, 0, "source", bytes.NewReader(program(kubelet)))
				}
			}
			err := s.Ensure(t.Context(), pin)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if rebuilt != test.rebuilt {
				t.Errorf("built from source: %v, want %v", rebuilt, test.rebuilt)
			}
		})
	}
}

func TestDownloadDoesNotRetryAfterCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, pin, log := newFetcher(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		panic(http.ErrAbortHandler)
	}))
	if err := s.Ensure(ctx, pin); !errors.Is(err, context.Canceled) || strings.Contains(log.String(), "retrying") {
		t.Errorf("got %v; log: %s", err, log)
	}
}

func TestCopyOfChangedFile(t *testing.T) {
	for name, test := range map[string]struct {
		bytes []byte
		want  string
	}{
		"flipped byte":         {append(program(kubelet)[:100:100], bytes.Repeat([]byte{'?'}, len(program(kubelet))-100)...), "want sha256"},
		"truncated":            {program(kubelet)[:100], "it is truncated, or another file: 100 of"},
		"another architecture": {program(swapped), "it is " + swapped},
	} {
		t.Run(name, func(t *testing.T) {
			s, pin, _ := newFetcher(t, serve(program(kubelet)))
			if err := s.Ensure(context.Background(), pin); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(s.Store.Path(pin.SHA256), test.bytes, 0o644); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			err := s.Copy(t.Context(), pin, filepath.Join(dir, "kubelet"))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range []string{test.want, s.Store.Path(pin.SHA256), "Fix: delete that file"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got\n%v\nwant %q in it", err, want)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// Neither a retry nor a rebuild helps if the store cannot be written.
func TestUnwritableStore(t *testing.T) {
	requested := 0
	s, pin, _ := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requested++
		w.Write(program(kubelet))
	}))
	s.Rebuild = func(context.Context, versions.Pin) error { return errors.New("rebuilt") }
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Store = store.New(filepath.Join(file, "store"))
	err := s.download(t.Context(), pin)
	if err == nil || requested > 1 || !strings.Contains(err.Error(), "creating the store") {
		t.Errorf("%d requests, got %v, want no retry and an error of the store", requested, err)
	}
	if err := s.fetchRelease(t.Context(), pin); err == nil || strings.Contains(err.Error(), "rebuilt") {
		t.Errorf("got %v, want no rebuild", err)
	}
}

func TestUpstream(t *testing.T) {
	for upstream, want := range map[string]string{
		"":                                    "",
		"off":                                 "",
		"https://mirror.example/k8s/":         "",
		"http://127.0.0.1:8080":               "",
		"mirror.example/k8s":                  `want https://HOST or https://HOST/PATH, or "off", got "mirror.example/k8s"`,
		"OFF":                                 `got "OFF"`,
		"ftp://mirror.example":                `got "ftp://mirror.example"`,
		"ftp://me:secret@mirror.example/x":    `got "ftp://xxxxx@mirror.example/x"`,
		"https://me:%zzsecret@mirror.example": "malformed URL",
		"https://me:sec ret@mirror.example":   "malformed URL",
		"https://me:secret/@mirror.example":   "malformed URL",
		"me:secret@mirror.example":            "malformed URL",
		"//secret@mirror.example":             `want https://HOST`,
		"mirror.example/secret@x":             "malformed URL",
		"https://mirror.example/?k=secret":    `got "https://mirror.example/"`,
		"https://mirror.example/?k=v":         "want https://HOST",
	} {
		err := checkUpstream(upstream)
		if strings.Contains(fmt.Sprint(err), "sec") {
			t.Errorf("%q: %v", upstream, err)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", upstream, err, want)
		}
	}
	s, pin, log := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	s.Upstream = strings.Replace(s.Upstream, "http://", "http://me:secret@", 1)
	if err := s.Ensure(t.Context(), pin); err == nil || strings.Contains(err.Error()+log.String(), "secret") {
		t.Errorf("got %v and %s, want an error without the password", err, log)
	}
}
