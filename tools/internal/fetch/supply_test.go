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

// program is bytes that begin as a Linux program does.
func program(what string) []byte {
	return append([]byte("\x7fELF"), bytes.Repeat([]byte(what+" "), 10_000)...)
}

const (
	kubelet  = "kubernetes/v1.36.0/linux/amd64/kubelet"
	swapped  = "kubernetes/v1.36.0/linux/arm64/kubelet"
	previous = "kubernetes/v1.35.0/linux/amd64/kubelet"
)

// supplier has a catalog of three files and asks the handler for them.
func supplier(t *testing.T, handler http.Handler) (*Fetcher, versions.Pin, *bytes.Buffer) {
	t.Helper()
	lock := versions.NewLock()
	var wanted versions.Pin
	for _, name := range []string{kubelet, swapped, previous} {
		key, err := versions.ParseFileKey(name)
		if err != nil {
			t.Fatal(err)
		}
		data := program(name)
		digest, err := versions.ParseDigest(fmt.Sprintf("%x", sha256.Sum256(data)))
		if err != nil {
			t.Fatal(err)
		}
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
		Progress: progress.New(&log),
		Log:      &log,
	}, wanted, &log
}

func serve(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(b) }
}

func TestDownload(t *testing.T) {
	var asked []string
	s, pin, log := supplier(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		w.Write(program(kubelet))
	}))
	for range 2 {
		if err := s.Ensure(context.Background(), pin); err != nil {
			t.Fatal(err)
		}
	}
	if len(asked) != 1 || asked[0] != "/release/"+kubelet {
		t.Errorf("asked for %q, want the mirror's path once", asked)
	}
	if !strings.Contains(log.String(), "downloading "+kubelet+": done") {
		t.Errorf("log: %s", log)
	}
	to := filepath.Join(t.TempDir(), "kubelet")
	if err := s.Copy(pin, to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, program(kubelet)) {
		t.Errorf("copied %d bytes, %v", len(got), err)
	}
}

// What has been met in the wild in place of a binary, and what must be said.
func TestDownloadOfSomethingElse(t *testing.T) {
	whole := program(kubelet)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    []string
	}{
		"HTML page":            {serve([]byte("\n<!DOCTYPE html><html><body>Sign in")), []string{`it is an HTML page, not a program: "\n<!DOCTYPE html>`, "truncated, or another file: 35 of"}},
		"XML error":            {serve([]byte("<?xml version='1.0'?><Error><Code>NoSuchKey")), []string{`it is an XML document`}},
		"another architecture": {serve(program(swapped)), []string{"it is " + swapped + " (another platform)"}},
		"another version":      {serve(program(previous)), []string{"it is " + previous + " (another version)"}},
		"cut by a proxy":       {serve(whole[:5000]), []string{fmt.Sprintf("it is truncated, or another file: 5000 of %d bytes", len(whole))}},
		"text":                 {serve(bytes.Repeat([]byte("x"), len(whole))), []string{`it is not a Linux program: "xxx`}},
		"too much":             {serve(append(bytes.Clone(whole), 'x')), []string{fmt.Sprintf("and %d bytes, got more", len(whole))}},
		"404":                  {http.NotFound, []string{"the server says 404 Not Found"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, pin, _ := supplier(t, test.handler)
			err := s.Ensure(context.Background(), pin)
			if err == nil {
				t.Fatal("was taken")
			}
			want := append(test.want, "getting "+kubelet, s.Upstream+"/release/"+kubelet)
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

// A server that fails once, in each of the ways that pass.
func TestDownloadTriesAgain(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
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
			s, pin, log := supplier(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n++; n == 1 {
					fail(w, r)
					return
				}
				w.Write(program(kubelet))
			}))
			if err := s.Ensure(context.Background(), pin); err != nil {
				t.Fatal(err)
			}
			if name == "connection cut" && !strings.Contains(log.String(), "truncated: the connection ended after 1000 of the 1000000 bytes") {
				t.Errorf("log: %s", log)
			}
			if n != 2 || !strings.Contains(log.String(), "trying again in 2s") {
				t.Errorf("%d requests; log: %s", n, log)
			}
		})
	}
}

// When a file is built from source, and when not.
func TestRebuild(t *testing.T) {
	whole := serve(program(kubelet))
	for name, test := range map[string]struct {
		handler  http.HandlerFunc
		upstream string
		allowed  bool
		rebuilt  bool
		want     string
	}{
		"no upstream":               {whole, Off, true, true, ""},
		"no upstream, no source":    {whole, Off, false, false, "downloads are switched off"},
		"upstream has it":           {whole, "", true, false, ""},
		"upstream lacks it":         {http.NotFound, "", true, true, ""},
		"upstream lacks it, either": {http.NotFound, "", false, false, "404 Not Found"},
		// Somebody has to look at what upstream sent.
		"upstream sent another": {serve(program(previous)), "", true, false, "it is " + previous},
	} {
		t.Run(name, func(t *testing.T) {
			s, pin, _ := supplier(t, test.handler)
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

// A person who ends it is not told of another attempt.
func TestDownloadStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, pin, log := supplier(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		panic(http.ErrAbortHandler)
	}))
	if err := s.Ensure(ctx, pin); !errors.Is(err, context.Canceled) || strings.Contains(log.String(), "trying again") {
		t.Errorf("got %v; log: %s", err, log)
	}
}

// A file of the store that was changed is named, and so is the mending.
func TestChangedStore(t *testing.T) {
	for name, test := range map[string]struct {
		bytes []byte
		want  string
	}{
		"flipped byte":         {append(program(kubelet)[:100:100], bytes.Repeat([]byte{'?'}, len(program(kubelet))-100)...), "want sha256"},
		"truncated":            {program(kubelet)[:100], "it is truncated, or another file: 100 of"},
		"another architecture": {program(swapped), "it is " + swapped},
	} {
		t.Run(name, func(t *testing.T) {
			s, pin, _ := supplier(t, serve(program(kubelet)))
			if err := s.Ensure(context.Background(), pin); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(s.Store.Path(pin.SHA256), test.bytes, 0o644); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			err := s.Copy(pin, filepath.Join(dir, "kubelet"))
			if err == nil {
				t.Fatal("was copied")
			}
			for _, want := range []string{test.want, s.Store.Path(pin.SHA256), "To mend: delete that file"} {
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

// What is wrong with the store is wrong with every other source, too.
func TestStoreThatCannotBeWritten(t *testing.T) {
	asked := 0
	s, pin, _ := supplier(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Write(program(kubelet))
	}))
	s.Rebuild = func(context.Context, versions.Pin) error { return errors.New("was built from source") }
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Store = store.New(filepath.Join(file, "store"))
	err := s.download(t.Context(), pin)
	if err == nil || asked != 1 || !strings.Contains(err.Error(), "making the store") {
		t.Errorf("asked %d times, got %v; want one download, and that the store cannot be made", asked, err)
	}
	if err := s.release(t.Context(), pin); err == nil || strings.Contains(err.Error(), "from source") {
		t.Errorf("got %v, want nothing built that cannot be kept", err)
	}
}

func TestUpstream(t *testing.T) {
	for upstream, want := range map[string]string{
		"":                                 "",
		"off":                              "",
		"https://mirror.example/k8s/":      "",
		"http://127.0.0.1:8080":            "",
		"mirror.example/k8s":               `want https://HOST or https://HOST/PATH, or "off", got "mirror.example/k8s"`,
		"OFF":                              `got "OFF"`,
		"ftp://mirror.example":             `got "ftp://mirror.example"`,
		"ftp://me:secret@mirror.example/x": `got "ftp://me:xxxxx@mirror.example/x"`,
		"https://mirror.example/?k=v":      "want https://HOST",
	} {
		err := checkUpstream(upstream)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", upstream, err, want)
		}
	}
	s, pin, log := supplier(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	s.Upstream = strings.Replace(s.Upstream, "http://", "http://me:secret@", 1)
	if err := s.Ensure(t.Context(), pin); err == nil || strings.Contains(err.Error()+log.String(), "secret") {
		t.Errorf("got %v and %s, want an error that keeps the password", err, log)
	}
}
