// Gen writes what can be derived from the manifest and the lock: the BUILD
// files of images/.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 with -mode=diff: the committed
// files are stale.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/render"
	"github.com/hyperkube/hyperkube/tools/internal/tree"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("gen", run)) }

func run(ctx context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("gen", flag.ContinueOnError)
	mode := fs.String("mode", "write", "write the files, or diff: print what would change and exit 3 if anything")
	root := fs.String("root", env.Dir, "the repository's `folder`")
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *mode != "write" && *mode != "diff" {
		return cli.Usage("-mode: want write or diff, got %q", *mode)
	}
	change, warnings, err := plan(*root)
	for _, w := range warnings {
		fmt.Fprintf(env.Err, "gen: warning: %s\n", w)
	}
	switch {
	case err != nil:
		return err
	case change.Empty():
		return nil
	case *mode == "diff":
		_, err := env.Out.Write(change.Diff())
		return errors.Join(err, cli.Exit(cli.ExitDrift, fmt.Errorf("the generated files are stale: %s. To mend: go run ./tools/gen", change)))
	}
	if err := change.Apply(ctx); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "gen: %s\n", change)
	return nil
}

// plan reads manifest and lock below root, not those compiled in: they may
// have been edited since, or belong to another tree.
func plan(root string) (*tree.Change, []string, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, nil, err
	}
	catalog, warnings, err := versions.LoadFrom(os.DirFS(root))
	if err != nil {
		return nil, warnings, err
	}
	change, err := tree.Tree{Root: root, Dir: "images", Header: render.Header}.Compare(render.Files(catalog))
	return change, warnings, err
}
