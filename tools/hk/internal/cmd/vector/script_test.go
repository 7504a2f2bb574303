package vector

import (
	"context"
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
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/cli/subcommand"
	"github.com/hyperkube/hyperkube/tools/internal/script"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hk": func() { os.Exit(cli.Main("hk", run)) }})
}

// run runs hk with the command vector alone.
func run(ctx context.Context, env cli.Env) error {
	root := &cobra.Command{Use: "hk"}
	root.AddCommand(New(env))
	return subcommand.Execute(ctx, env, root)
}

// The scripts have a registry at $REGISTRY, and the command
//
//	push IMAGE ARCHITECTURE...   pushes an index to it
func TestScripts(t *testing.T) {
	script.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
			env.Defer(server.Close)
			env.Setenv("REGISTRY", strings.TrimPrefix(server.URL, "http://"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"push": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(push(args[0], args[1:])) },
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
