package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

const archived = "own/v1.36.0/linux/amd64/kubelet"

// packed is an archive with a kubelet and what else is asked for.
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

func digestOf(t *testing.T, b []byte) versions.Digest {
	t.Helper()
	d, err := versions.ParseDigest(fmt.Sprintf("%x", sha256.Sum256(b)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ownSource() versions.Source {
	return versions.Source{
		Name: "own", Kind: versions.KindArchive, URL: "https://example.com/{version}/kubelet-{arch}.tar.gz",
		Files: []versions.SourceFile{{Name: "kubelet", Member: "bin/kubelet"}},
	}
}

func TestArchive(t *testing.T) {
	whole := packed(t, program(archived))
	asked := ""
	s, _, _ := supplier(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked += r.URL.Path + "\n"
		w.Write(whole)
	}))
	s.Catalog.Manifest.Sources = append(s.Catalog.Manifest.Sources, ownSource())
	key, err := versions.ParseFileKey(archived)
	if err != nil {
		t.Fatal(err)
	}
	pin, err := s.PinMember(context.Background(), key, ownSource(), digestOf(t, whole))
	if err != nil {
		t.Fatal(err)
	}
	if pin.SHA256 != digestOf(t, program(archived)) || pin.Size != int64(len(program(archived))) || pin.Member != "bin/kubelet" {
		t.Errorf("pinned %+v", pin)
	}
	if err := s.Ensure(context.Background(), pin); err != nil {
		t.Fatal(err)
	}
	if err := s.Store.Verify(pin.SHA256); err != nil {
		t.Error(err)
	}
	if asked != "/v1.36.0/kubelet-amd64.tar.gz\n" {
		t.Errorf("asked for %q, want the archive once", asked)
	}
	if _, err := s.PinMember(context.Background(), key, versions.Source{Name: "own", Kind: versions.KindRelease}, pin.Archive); err == nil {
		t.Error("pinned a member of what is no archive")
	}
}

// Whatever is wrong with an archive, its member does not get into the store.
func TestArchiveRefused(t *testing.T) {
	honest := packed(t, program(archived))
	hostile := packed(t, program(archived), "../../etc/passwd")
	for name, test := range map[string]struct {
		served  []byte
		archive []byte // the one pinned
		content []byte // the one pinned
		want    string
	}{
		"another archive": {packed(t, program("other")), honest, program(archived), "want sha256 " + digestOf(t, honest).String()},
		"HTML page":       {[]byte("<html>Sign in"), honest, program(archived), "it is an HTML page"},
		"hostile archive": {hostile, hostile, program(archived), `"../../etc/passwd" climbs out of its folder`},
		"another member":  {honest, honest, program("other"), "want sha256 " + digestOf(t, program("other")).String()},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := supplier(t, serve(test.served))
			s.Catalog.Manifest.Sources = append(s.Catalog.Manifest.Sources, ownSource())
			key, err := versions.ParseFileKey(archived)
			if err != nil {
				t.Fatal(err)
			}
			pin := versions.Pin{FileKey: key, URL: ownSource().FileURL(key), SHA256: digestOf(t, test.content), Archive: digestOf(t, test.archive), Member: "bin/kubelet"}
			err = s.Ensure(context.Background(), pin)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "not a Linux program") {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if _, err := os.Stat(s.Store.Path(pin.SHA256)); err == nil {
				t.Error("it is in the store")
			}
		})
	}
	s, _, _ := supplier(t, serve(honest))
	s.Catalog.Manifest.Sources, s.Upstream = append(s.Catalog.Manifest.Sources, ownSource()), Off
	key, _ := versions.ParseFileKey(archived)
	pin := versions.Pin{FileKey: key, SHA256: digestOf(t, program(archived)), Archive: digestOf(t, honest), Member: "bin/kubelet"}
	if err := s.Ensure(context.Background(), pin); err == nil || !strings.Contains(err.Error(), "downloads are switched off, and the store lacks its archive, sha256 "+pin.Archive.String()) {
		t.Errorf("got %v", err)
	}
}
