package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// serve serves the requests of one repository.
func serve(t *testing.T, handler http.HandlerFunc) *Repository {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			handler(w, r)
		}
	}))
	t.Cleanup(s.Close)
	repo, err := OpenRepository(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/a")
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

func TestOpenRepositoryUsage(t *testing.T) {
	for _, bad := range []string{"", "kubectl", "registry.example/a:v1"} {
		if _, err := OpenRepository(t.Context(), bad); cli.Code("", io.Discard, err) != cli.ExitUsage {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// A list has any number of pages, but a registry can neither continue it forever nor
// send a client elsewhere.
func TestTags(t *testing.T) {
	page := func(next string, tags ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if next != "" {
				w.Header().Set("Link", "<"+strings.ReplaceAll(next, "HOST", r.Host)+`>; rel="next"`)
			}
			fmt.Fprintf(w, `{"name":"a","tags":["%s"]}`, strings.Join(tags, `","`))
		}
	}
	var n atomic.Int64
	for name, test := range map[string]struct {
		pages map[string]http.HandlerFunc // by query; "" for others
		want  string                      // error
	}{
		"pages":      {map[string]http.HandlerFunc{"": page("/v2/a/tags/list?last=v2", "v1", "v2"), "last=v2": page("http://HOST/v2/a/tags/list?last=v3", "v2", "v3"), "last=v3": page("", "v4")}, ""},
		"loop":       {map[string]http.HandlerFunc{"": page("?last=v2", "v1", "v2")}, "page 2 has no new tag, but a next page"},
		"elsewhere":  {map[string]http.HandlerFunc{"": page("http://127.0.0.2/v2/a/tags/list", "v1")}, "pagination URL host does not match"},
		"many pages": {map[string]http.HandlerFunc{"": func(w http.ResponseWriter, r *http.Request) { page("?last=x", fmt.Sprint(n.Add(1)))(w, r) }}, "more than 2000 pages"},
		"many tags": {map[string]http.HandlerFunc{"": func(w http.ResponseWriter, r *http.Request) {
			tags := make([]string, 60_000)
			for i := range tags {
				tags[i] = fmt.Sprint(n.Add(1))
			}
			page("?last=x", tags...)(w, r)
		}}, "more than 100000 tags"},
		"no tag":  {map[string]http.HandlerFunc{"": page("", "../b/manifests/v1")}, `"../b/manifests/v1" is not a tag`},
		"no JSON": {map[string]http.HandlerFunc{"": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }}, "invalid character"},
		"large":   {map[string]http.HandlerFunc{"": page("", strings.Repeat("x", 5<<20))}, "response has more than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
				handler, ok := test.pages[r.URL.RawQuery]
				if !ok {
					handler = test.pages[""]
				}
				handler(w, r)
			})
			got, err := repo.Tags(t.Context())
			if test.want == "" && (err != nil || !slices.Equal(got, []string{"v1", "v2", "v3", "v4"})) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %d tags, %v, want %s", len(got), err, test.want)
			}
		})
	}
}

// A digest comes from the header of the response, or from its content in registries
// without HEAD.
func TestDigest(t *testing.T) {
	repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/none"):
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodHead:
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			w.Write([]byte("{}"))
		}
	})
	if got, err := repo.Digest(t.Context(), "v1"); err != nil || got != "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := repo.Digest(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

// A registry may take the fallback tag for the digest of the image, and return the
// image in place of a list of referrers.
func TestReferrersOfImage(t *testing.T) {
	repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/manifests/sha256-") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"sha256:%[1]s"},
			{"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.oci.empty.v1+json","size":1,"digest":"sha256:%[1]s"}]}`, strings.Repeat("b", 64))
	})
	digest := "sha256:" + strings.Repeat("a", 64)
	if has, err := repo.HasReferrersAPI(t.Context(), digest); has || err != nil {
		t.Errorf("API: got %t, %v", has, err)
	}
	if got, err := repo.Referrers(t.Context(), digest); err != nil || len(got) > 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRetry(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		retryAfter string
		method     string
		failures   int64
		requests   int64
		min, max   time.Duration
	}{
		"backoff":      {429, "", http.MethodGet, 2, 3, 15 * time.Millisecond, time.Minute},
		"seconds":      {503, "1", http.MethodHead, 1, 2, time.Second, time.Minute},
		"date":         {429, "Mon, 02 Jan 2006 15:04:05 GMT", http.MethodGet, 1, 2, 0, time.Minute},
		"gives up":     {502, "0", http.MethodGet, 99, 4, 0, time.Minute},
		"too long":     {429, "3600", http.MethodGet, 99, 1, 0, time.Minute},
		"other status": {403, "0", http.MethodGet, 99, 1, 0, time.Minute},
		"with a body":  {429, "0", http.MethodPost, 99, 1, 0, time.Minute},
		"connection":   {0, "", http.MethodGet, 2, 3, 0, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				switch {
				case n.Add(1) > test.failures:
				case test.status == 0:
					panic(http.ErrAbortHandler)
				default:
					if test.retryAfter != "" {
						w.Header().Set("Retry-After", test.retryAfter)
					}
					w.WriteHeader(test.status)
				}
			}))
			defer s.Close()
			r, err := http.NewRequestWithContext(t.Context(), test.method, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.method == http.MethodPost {
				r.Body = io.NopCloser(strings.NewReader("x"))
			}
			start := time.Now()
			response, err := (&retry{http.DefaultTransport, 4, 10 * time.Millisecond, 2 * time.Second}).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			want := test.status
			if test.requests > test.failures {
				want = http.StatusOK
			}
			if took := time.Since(start); n.Load() != test.requests || response.StatusCode != want || took < test.min || took > test.max {
				t.Errorf("got %d requests, status %d in %v, want %d, %d", n.Load(), response.StatusCode, took, test.requests, want)
			}
		})
	}
}
