// Gen writes what can be derived from the manifest and the lock: the BUILD
// files of images/, and the image vector.
//
//	go run ./tools/gen                 what is stale
//	go run ./tools/gen -mode=diff      nothing; shows what is stale
//	go run ./tools/gen -pinned FILE    the image vector with digests, for the
//	                                   images that images/digests.json has
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
	"runtime/debug"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/generate"
	"github.com/hyperkube/hyperkube/tools/internal/generate/output"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

// gcPercent is high because little of what is allocated ever becomes garbage:
// collecting it would take a fifth of the time.
const gcPercent = 300

func main() {
	debug.SetGCPercent(gcPercent)
	os.Exit(cli.Main("gen", run))
}

type config struct {
	diff         bool
	root, pinned string // absolute; pinned may be ""
}

func parse(env cli.Env) (config, error) {
	var c config
	fs := flag.NewFlagSet("gen", flag.ContinueOnError)
	mode := fs.String("mode", "write", "write the files, or diff: print what would change and exit 3 if anything")
	fs.StringVar(&c.root, "root", ".", "the repository's `folder`")
	fs.StringVar(&c.pinned, "pinned", "", "write the image vector with digests to this `file`, and nothing else")
	if err := cli.Parse(fs, env, false); err != nil {
		return c, err
	}
	if *mode != "write" && *mode != "diff" {
		return c, cli.Usage("-mode: want write or diff, got %q", *mode)
	}
	c.diff = *mode == "diff"
	for _, path := range []*string{&c.root, &c.pinned} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(env.Dir, *path)
		}
	}
	return c, nil
}

func run(ctx context.Context, env cli.Env) error {
	c, err := parse(env)
	if err != nil {
		return err
	}
	// Manifest and lock of the folder, not those compiled in: they may have been
	// edited since, or belong to another tree.
	catalog, warnings, err := versions.LoadFrom(os.DirFS(c.root))
	for _, w := range warnings {
		fmt.Fprintf(env.Err, "gen: warning: %s\n", w)
	}
	if err != nil {
		return err
	}
	records, err := record.Read(c.root)
	if err != nil {
		return err
	}
	if c.pinned != "" {
		unknown, err := writePinned(c.pinned, catalog, records)
		if err == nil && unknown > 0 {
			fmt.Fprintf(env.Err, "gen: %d images have no digest on record and are left out; go run ./tools/hk build IMAGE --record adds one\n", unknown)
		}
		return err
	}
	if err := records.CheckInputs(catalog); err != nil {
		return err
	}
	change, err1 := output.Tree{Root: c.root, Dir: "images", Header: generate.Header}.Compare(generate.Files(catalog))
	vector, err2 := planVector(c.root, catalog)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	written, deleted := change.Count()
	if !vector.fresh() {
		written++
	}
	switch {
	case written+deleted == 0:
		return nil
	case c.diff:
		_, err := env.Out.Write(append(change.Diff(), vector.diff()...))
		return errors.Join(err, cli.Exit(cli.ExitDrift, fmt.Errorf(
			"the generated files are stale: %d written, %d deleted. To mend: go run ./tools/gen", written, deleted)))
	}
	if err := errors.Join(change.Apply(ctx, func() { fmt.Fprintln(env.Err, "gen: waiting for another process that writes here") }), vector.write()); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "gen: %d written, %d deleted\n", written, deleted)
	return nil
}
