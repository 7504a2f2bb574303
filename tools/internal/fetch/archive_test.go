package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

const archived = "own/v1.36.0/linux/amd64/kubelet"

// packed returns an archive with a kubelet and more entries.
func packed(t *testing.T, content []byte, more ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range append([]string{"bin/kubelet"}, more...) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func digestOf(b []byte) versions.Digest { return versions.NewDigest(sha256.Sum256(b)) }

func ownSource() versions.Source {
	return versions.Source{
		Name: "own", Kind: versions.KindArchive, URL: "https://example.com/{version}/kubelet-{arch}.tar.gz",
		Files: []versions.SourceFile{{Name: "kubelet", Member: "bin/kubelet"}},
	}
}

func TestArchive(t *testing.T) {
	whole := packed(t, program(archived))
	requested := ""
	s, _, _ := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requested += r.URL.Path + "\n"
		w.Write(whole)
	}))
	s.Catalog.Manifest.Sources = append(s.Catalog.Manifest.Sources, ownSource())
	key, err := versions.ParseFileKey(archived)
	if err != nil {
		t.Fatal(err)
	}
	pin, err := s.PinMember(context.Background(), key, ownSource(), digestOf(whole))
	if err != nil {
		t.Fatal(err)
	}
	if pin.SHA256 != digestOf(program(archived)) || pin.Size != int64(len(program(archived))) || pin.Member != "bin/kubelet" {
		t.Errorf("pinned %+v", pin)
	}
	if err := s.Ensure(context.Background(), pin); err != nil {
		t.Fatal(err)
	}
	if err := s.Store.Verify(pin.SHA256); err != nil {
		t.Error(err)
	}
	if requested != "/v1.36.0/kubelet-amd64.tar.gz\n" {
		t.Errorf("requested %q, want the archive once", requested)
	}
	if _, err := s.PinMember(context.Background(), key, versions.Source{Name: "own", Kind: versions.KindRelease}, pin.Archive); err == nil {
		t.Error("no error for a source that is not an archive")
	}
}

// No member of an invalid archive is stored.
func TestArchiveRefused(t *testing.T) {
	valid := packed(t, program(archived))
	malicious := packed(t, program(archived), "../../etc/passwd")
	for name, test := range map[string]struct {
		served  []byte
		archive []byte // the one pinned
		content []byte // the one pinned
		want    string
	}{
		"another archive":   {packed(t, program("other")), valid, program(archived), "want sha256 " + digestOf(valid).String()},
		"HTML page":         {[]byte("<html>Sign in"), valid, program(archived), "it is an HTML page"},
		"malicious archive": {malicious, malicious, program(archived), `entry "../../etc/passwd": path contains ".."`},
		"another member":    {valid, valid, program("other"), "want sha256 " + digestOf(program("other")).String()},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := newFetcher(t, serve(test.served))
			s.Catalog.Manifest.Sources = append(s.Catalog.Manifest.Sources, ownSource())
			key, err := versions.ParseFileKey(archived)
			if err != nil {
				t.Fatal(err)
			}
			pin := versions.Pin{FileKey: key, URL: ownSource().FileURL(key), SHA256: digestOf(test.content), Archive: digestOf(test.archive), Member: "bin/kubelet"}
			err = s.Ensure(context.Background(), pin)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "not a Linux program") {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if _, err := os.Stat(s.Store.Path(pin.SHA256)); err == nil {
				t.Error("the member is in the store")
			}
		})
	}
	s, _, _ := newFetcher(t, serve(valid))
	s.Catalog.Manifest.Sources, s.Upstream = append(s.Catalog.Manifest.Sources, ownSource()), Off
	key, _ := versions.ParseFileKey(archived)
	pin := versions.Pin{FileKey: key, SHA256: digestOf(program(archived)), Archive: digestOf(valid), Member: "bin/kubelet"}
	if err := s.Ensure(context.Background(), pin); err == nil || !strings.Contains(err.Error(), "downloads are disabled, and the archive is not in the store: sha256 "+pin.Archive.String()) {
		t.Errorf("got %v", err)
	}
}
