package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/script"
	"github.com/rogpeppe/go-internal/testscript"
)

// archive is a tar.gz with a kubelet; upstream publishes no checksum of it.
var archive = func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err := w.WriteHeader(&tar.Header{Name: "bin/kubelet", Mode: 0o755, Size: 4, Typeflag: tar.TypeReg})
	if _, err2 := w.Write([]byte("\x7fELF")); errors.Join(err, err2, w.Close(), z.Close()) != nil {
		panic("packing failed")
	}
	return b.Bytes()
}()

// upstream serves a program and its checksum, and the archive.
func upstream(w http.ResponseWriter, r *http.Request) {
	program := []byte("\x7fELF kubectl")
	switch {
	case strings.Contains(r.URL.Path, "/v1.37.0/"):
		fmt.Fprint(w, "<?xml version='1.0'?><Error>") // with status 200, as upstream did
	case strings.HasSuffix(r.URL.Path, "/kubectl.sha256"):
		fmt.Fprintf(w, "%x\n", sha256.Sum256(program))
	case strings.HasSuffix(r.URL.Path, "/kubelet.tar.gz"):
		w.Write(archive)
	case strings.HasSuffix(r.URL.Path, "/kubectl"):
		w.Write(program)
	default:
		http.NotFound(w, r)
	}
}

// base pushes an index with an image for linux/amd64 to a registry.
func base(t *testing.T, registry string) (index, manifest v1.Hash) {
	t.Helper()
	img, err := random.Image(1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	img = mutate.MediaType(mutate.ConfigMediaType(img, types.OCIConfigJSON), types.OCIManifestSchema1)
	list := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: empty.Image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}}},
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	repository, err := name.NewRepository(registry + "/team/base")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(repository.Tag("v1"), list); err != nil {
		t.Fatal(err)
	}
	index, err1 := list.Digest()
	manifest, err2 := img.Digest()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return index, manifest
}

// envsubst expands the variables in a file.
func envsubst(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: envsubst FROM TO")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

func TestPin(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(upstream))
	t.Cleanup(server.Close)
	mirror := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(mirror.Close)
	index, manifest := base(t, strings.TrimPrefix(mirror.URL, "http://"))
	script.Run(t, testscript.Params{
		Dir:  "testdata/pin",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"envsubst": envsubst},
		Setup: func(env *testscript.Env) error {
			env.Setenv("HYPERKUBE_UPSTREAM", server.URL)
			env.Setenv("HYPERKUBE_REGISTRY_MIRROR", strings.TrimPrefix(mirror.URL, "http://"))
			env.Setenv("INDEX", index.Hex)
			env.Setenv("MANIFEST", manifest.Hex)
			env.Setenv("HYPERKUBE_CACHE", env.WorkDir+"/cache")
			env.Setenv("ARCHIVE", fmt.Sprintf("%x", sha256.Sum256(archive)))
			env.Setenv("MEMBER", fmt.Sprintf("%x", sha256.Sum256([]byte("\x7fELF"))))
			env.Setenv("SUM", fmt.Sprintf("%x", sha256.Sum256([]byte("\x7fELF kubectl"))))
			return nil
		},
	})
}
