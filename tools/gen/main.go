// Gen generates the BUILD files of images/ and the image vector from the manifest
// and the lock.
//
//	go run ./tools/gen                 write the files that are outdated
//	go run ./tools/gen -mode=diff      show them, and write nothing
//	go run ./tools/gen -pinned FILE    write an image vector with the digests in
//	                                   images/digests.json
//
// Exit codes: 0 success, 1 failure, 2 wrong usage, 3 outdated files with
// -mode=diff.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/generate"
	"github.com/hyperkube/hyperkube/tools/internal/generate/output"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

func main() {
	os.Exit(cli.Main("gen", run))
}

type config struct {
	diff         bool
	root, pinned string // absolute; pinned may be ""
}

func parse(env cli.Env) (config, error) {
	var c config
	fs := flag.NewFlagSet("gen", flag.ContinueOnError)
	mode := fs.String("mode", "write", "`mode`: write the files, or diff: print the changes and exit with 3 if there are any")
	fs.StringVar(&c.root, "root", ".", "the root `directory` of the repository")
	fs.StringVar(&c.pinned, "pinned", "", "write only the image vector with digests, to this `file`")
	if err := cli.Parse(fs, env, false); err != nil {
		return c, err
	}
	if *mode != "write" && *mode != "diff" {
		return c, cli.Usage("-mode: want write or diff, got %q", *mode)
	}
	c.diff = *mode == "diff"
	c.root, c.pinned = env.Path(c.root), env.Path(c.pinned)
	return c, nil
}

func run(ctx context.Context, env cli.Env) error {
	c, err := parse(env)
	if err != nil {
		return err
	}
	catalog, err := versions.LoadFrom(os.DirFS(c.root))
	if err != nil {
		return err
	}
	for _, w := range catalog.Lock.Warnings() {
		fmt.Fprintf(env.Err, "gen: warning: %s\n", w)
	}
	records, err := record.Read(c.root)
	if err != nil {
		return err
	}
	if c.pinned != "" {
		omitted, err := writePinned(c.pinned, catalog, records)
		if err == nil && omitted > 0 {
			fmt.Fprintf(env.Err, "gen: omitted %d images without digests in %s. Fix: go run ./tools/hk build IMAGE --record -o DIR\n", omitted, record.File)
		}
		return err
	}
	if err := records.CheckInputs(catalog); err != nil {
		return err
	}
	change, err1 := output.Dir{Root: c.root, Name: "images", Header: generate.Header, Owned: generate.SpecDir}.Compare(generate.Files(catalog))
	vector, err2 := planVector(c.root, catalog)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	written, deleted := change.Count()
	if !vector.upToDate() {
		written++
	}
	switch {
	case written+deleted == 0:
		return nil
	case c.diff:
		_, err := env.Out.Write(append(change.Diff(), vector.diff()...))
		return errors.Join(err, cli.Exit(cli.ExitDrift, fmt.Errorf(
			"generated files are outdated: %d to write, %d to delete. Fix: go run ./tools/gen", written, deleted)))
	}
	if err := errors.Join(change.Apply(ctx, func(holder string) {
		fmt.Fprintf(env.Err, "gen: waiting for %s, which holds the lock %q\n", holder, c.root)
	}), vector.write()); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "gen: %d files written, %d deleted\n", written, deleted)
	return nil
}
