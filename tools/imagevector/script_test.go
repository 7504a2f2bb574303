package main

import (
	"fmt"
	"io"
	"log"
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
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"imagevector": func() { os.Exit(cli.Main("imagevector", run)) }})
}

// The scripts have a registry in $REGISTRY, and the commands
//
//	push IMAGE ARCHITECTURE...   puts an index there
//	exits CODE COMMAND...        wants an exit code
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
			env.Defer(server.Close)
			env.Setenv("REGISTRY", strings.TrimPrefix(server.URL, "http://"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"push": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(push(args[0], args[1:])) },
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec(args[1], args[2:]...)
				got := "0"
				if err != nil {
					got = strings.TrimPrefix(err.Error(), "exit status ")
				}
				if got != args[0] {
					ts.Fatalf("exit code %s, want %s: %v", got, args[0], err)
				}
			},
		},
	})
}

func push(image string, architectures []string) error {
	ref, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	index := v1.ImageIndex(empty.Index)
	for _, architecture := range architectures {
		one, err := random.Image(64, 1)
		if err != nil {
			return fmt.Errorf("making an image for %s: %w", architecture, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	}
	return remote.WriteIndex(ref, index)
}
