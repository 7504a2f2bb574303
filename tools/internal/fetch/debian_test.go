package fetch

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/versions"
)

const (
	debFile     = "a package of Debian"
	archivePath = "pool/main/b/bash/bash_5.2+b1~rc1_amd64.deb"
	poolPath    = "/debian/" + archivePath
	snapPath    = "/archive/debian/20261128T000000Z/" + archivePath
	secPath     = "/debian-security/pool/updates/main/o/openssl/openssl_3_amd64.deb"
)

// newPackageFetcher returns a fetcher of two pinned packages, bash and openssl of the
// security archive. The server has the given files, with the given content, as mirror
// and as snapshot archive.
func newPackageFetcher(t *testing.T, files map[string]string) (f *Fetcher, bash, openssl versions.Pin, requests *[]string) {
	t.Helper()
	requests = &[]string{}
	f, _, _ = newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests = append(*requests, r.URL.Path)
		content, ok := files[r.URL.Path]
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		case content == "":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.Write([]byte(content))
		}
	}))
	platform, err := versions.ParsePlatform("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	pin := versions.PackagePin{
		Set: "slim", Platform: platform, Name: "bash", Version: "5.2+b1~rc1", Architecture: "amd64", Archive: versions.Archive,
		Path: archivePath, Size: int64(len(debFile)), SHA256: versions.NewDigest(sha256.Sum256([]byte(debFile))),
	}
	security := pin
	security.Name, security.Archive, security.Path = "openssl", versions.SecurityArchive, strings.TrimPrefix(secPath, "/debian-security/")
	f.Catalog.Lock.SetPackages([]versions.PackagePin{pin, security}, []versions.Snapshot{
		{Suite: "trixie", Archive: versions.Archive, Time: "20261128T000000Z"}, {Suite: "trixie", Archive: versions.SecurityArchive, Time: "20261127T000000Z"},
	})
	f.DebianMirror = func() (mirror.Mirror, error) {
		return mirror.Mirror{Archive: mirror.Source{URI: f.Upstream + "/debian"}, Security: mirror.Source{URI: f.Upstream + "/debian-security/"}}, nil
	}
	return f, f.Catalog.Lock.PackageFile(pin), f.Catalog.Lock.PackageFile(security), requests
}

// A package comes from the store, then from the mirror, then from the snapshot archive.
func TestFetchPackage(t *testing.T) {
	other := strings.Repeat("x", len(debFile))
	for name, test := range map[string]struct {
		files    map[string]string
		requests []string
		err      string
	}{
		"mirror":                  {map[string]string{poolPath: debFile, snapPath: debFile}, []string{poolPath}, ""},
		"dropped by the mirror":   {map[string]string{snapPath: debFile}, []string{poolPath, snapPath}, ""},
		"mirror is down":          {map[string]string{poolPath: "", snapPath: debFile}, []string{poolPath, snapPath}, ""},
		"other bytes":             {map[string]string{poolPath: other, snapPath: debFile}, []string{poolPath, snapPath}, ""},
		"truncated":               {map[string]string{poolPath: debFile[:5], snapPath: debFile}, []string{poolPath, snapPath}, ""},
		"longer":                  {map[string]string{poolPath: debFile + "x", snapPath: debFile}, []string{poolPath, snapPath}, ""},
		"nowhere":                 {nil, []string{poolPath, snapPath}, "404 Not Found\nFix: set HYPERKUBE_DEBIAN_MIRROR or HYPERKUBE_DEBIAN_SECURITY_MIRROR to a mirror that has it, or copy it to "},
		"other bytes everywhere":  {map[string]string{poolPath: other, snapPath: other}, []string{poolPath, snapPath}, "want sha256 "},
		"a page in place of both": {map[string]string{poolPath: "<html>", snapPath: "<html>"}, []string{poolPath, snapPath}, "HTML"},
	} {
		t.Run(name, func(t *testing.T) {
			f, bash, _, requests := newPackageFetcher(t, test.files)
			for range 2 {
				err := f.Ensure(t.Context(), bash)
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), "fetching debian/slim/linux/amd64/bash: ") || !strings.Contains(err.Error(), test.err) {
						t.Errorf("got %v, want %s", err, test.err)
					}
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(f.Store.Path(bash.SHA256)); err != nil || string(got) != debFile {
					t.Errorf("stored %q, %v", got, err)
				}
			}
			if !slices.Equal(*requests, test.requests) {
				t.Errorf("requests %q, want %q", *requests, test.requests)
			}
		})
	}
}

func TestFetchPackageSecurity(t *testing.T) {
	f, _, openssl, requests := newPackageFetcher(t, map[string]string{secPath: debFile})
	if err := f.Ensure(t.Context(), openssl); err != nil || !slices.Equal(*requests, []string{secPath}) {
		t.Errorf("requests %q, %v", *requests, err)
	}
}

// Without upstream, only the mirror is asked.
func TestFetchPackageWithoutUpstream(t *testing.T) {
	server := func(files map[string]string) (*Fetcher, versions.Pin, *[]string) {
		f, bash, _, requests := newPackageFetcher(t, files)
		uri := f.Upstream
		f.Upstream = Off
		f.DebianMirror = func() (mirror.Mirror, error) { return mirror.Mirror{Archive: mirror.Source{URI: uri + "/debian"}}, nil }
		return f, bash, requests
	}
	f, bash, _ := server(map[string]string{poolPath: debFile})
	if err := f.Ensure(t.Context(), bash); err != nil {
		t.Error(err)
	}
	f, bash, requests := server(map[string]string{snapPath: debFile})
	if err := f.Ensure(t.Context(), bash); err == nil || !strings.Contains(err.Error(), "downloads from snapshot.debian.org are disabled by HYPERKUBE_REBUILD=1") || len(*requests) != 1 {
		t.Errorf("got %v after %q", err, *requests)
	}
	f, bash, _ = server(nil)
	f.DebianMirror = func() (mirror.Mirror, error) { return mirror.Mirror{}, errors.New("no mirror here") }
	if err := f.Ensure(t.Context(), bash); err == nil || !strings.Contains(err.Error(), "no mirror here") {
		t.Errorf("got %v", err)
	}
	f.DebianMirror = nil
	if err := f.Ensure(t.Context(), bash); err == nil || !strings.HasPrefix(err.Error(), "fetching debian/slim/linux/amd64/bash: downloads are disabled\nFix: copy it to ") {
		t.Errorf("got %v", err)
	}
}

// The environment says which servers a package may come from.
func TestNewDebianMirror(t *testing.T) {
	for _, test := range []struct {
		env         map[string]string
		uri, mirror string
	}{
		{map[string]string{"HYPERKUBE_DEBIAN_MIRROR": "http://m.example"}, "", "http://m.example"},
		{map[string]string{"HYPERKUBE_DEBIAN_MIRROR": "http://m.example", "HYPERKUBE_REBUILD": "1"}, Off, "http://m.example"},
		{map[string]string{"HYPERKUBE_DEBIAN_MIRROR": "http://m.example", "HYPERKUBE_UPSTREAM": "off"}, Off, ""},
	} {
		test.env["HYPERKUBE_STORE"] = t.TempDir()
		f, err := New(cli.Env{Getenv: func(name string) string { return test.env[name] }}, &versions.Catalog{})
		if err != nil {
			t.Fatal(err)
		}
		uri := ""
		if f.DebianMirror != nil {
			m, err := f.DebianMirror()
			if err != nil {
				t.Fatal(err)
			}
			uri = m.Archive.URI
		}
		if f.Upstream != test.uri || uri != test.mirror {
			t.Errorf("%v: upstream %q, mirror %q", test.env, f.Upstream, uri)
		}
	}
}

// A mirror that refuses connections delays nothing.
func TestFetchPackageMirrorRefuses(t *testing.T) {
	f, bash, _, requests := newPackageFetcher(t, map[string]string{snapPath: debFile})
	closed := httptest.NewServer(nil)
	closed.Close()
	f.DebianMirror = func() (mirror.Mirror, error) { return mirror.Mirror{Archive: mirror.Source{URI: closed.URL}}, nil }
	if err := f.Ensure(t.Context(), bash); err != nil || len(*requests) != 1 {
		t.Errorf("requests %q, %v", *requests, err)
	}
}
