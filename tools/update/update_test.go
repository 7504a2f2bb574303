package main

import (
	"crypto/sha256"
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

// upstream has one program, and its checksum as upstream has it.
func upstream(w http.ResponseWriter, r *http.Request) {
	program := []byte("\x7fELF kubectl")
	switch {
	case strings.Contains(r.URL.Path, "/v1.37.0/"):
		fmt.Fprint(w, "<?xml version='1.0'?><Error>") // with 200, as it happened
	case strings.HasSuffix(r.URL.Path, "/kubectl.sha256"):
		fmt.Fprintf(w, "%x\n", sha256.Sum256(program))
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
			env.Setenv("SUM", fmt.Sprintf("%x", sha256.Sum256([]byte("\x7fELF kubectl"))))
			return nil
		},
	})
}
