package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"update": main})
}

// archive is a tar.gz with a kubelet, and is nobody's to publish a sum of.
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

// upstream has one program, and its checksum as upstream has it.
func upstream(w http.ResponseWriter, r *http.Request) {
	program := []byte("\x7fELF kubectl")
	switch {
	case strings.Contains(r.URL.Path, "/v1.37.0/"):
		fmt.Fprint(w, "<?xml version='1.0'?><Error>") // with 200, as it happened
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

func TestScripts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(upstream))
	t.Cleanup(server.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HYPERKUBE_UPSTREAM", server.URL)
			env.Setenv("HYPERKUBE_CACHE", env.WorkDir+"/cache")
			env.Setenv("ARCHIVE", fmt.Sprintf("%x", sha256.Sum256(archive)))
			env.Setenv("MEMBER", fmt.Sprintf("%x", sha256.Sum256([]byte("\x7fELF"))))
			env.Setenv("SUM", fmt.Sprintf("%x", sha256.Sum256([]byte("\x7fELF kubectl"))))
			return nil
		},
	})
}
