package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

func run(ctx context.Context, env cli.Env) error {
	c, err := parse(env)
	if err != nil {
		return err
	}
	catalog, _, err := versions.Load()
	if err != nil {
		return err
	}
	r := &rebuilder{
		config: c, env: env, report: progress.New(env.Err), store: store.New(c.store),
		say: func(o outcome) { fmt.Fprintln(env.Out, o) },
	}
	switch {
	case c.table:
		return r.recorder().record(ctx, nil)
	case c.survey:
		outcomes, err := r.survey(ctx, catalog)
		// What cannot be had is what a survey finds out, too.
		outcomes = slices.DeleteFunc(outcomes, func(o outcome) bool { return o.status == unbuildable && !o.passing })
		return errors.Join(err, verdict(outcomes))
	case c.search:
		c.binaries = []string{everything}
		pins, err := c.jobs(catalog)
		if err != nil {
			return err
		}
		return r.search(ctx, c.version, pins, nil)
	}
	jobs, err := c.jobs(catalog)
	if err != nil {
		return err
	}
	if c.provenance != "" {
		r.statements = &bytes.Buffer{}
	}
	outcomes, err := r.rebuild(ctx, c.version, jobs)
	if c.record {
		err = errors.Join(err, r.recorder().record(context.WithoutCancel(ctx), outcomes))
	}
	if c.provenance != "" && r.statements.Len() > 0 {
		err = errors.Join(err, writeFile(c.provenance, r.statements.Bytes()))
	}
	return errors.Join(err, verdict(outcomes))
}

// verdict is the exit code: 3 where something differs, 1 where something could
// not be built.
func verdict(outcomes []outcome) error {
	var differ, cannot []string
	for _, o := range outcomes {
		switch o.status {
		case differs:
			differ = append(differ, o.job.String())
		case unbuildable:
			cannot = append(cannot, o.job.String())
		}
	}
	switch {
	case len(differ) > 0:
		return cli.Exit(cli.ExitDrift, fmt.Errorf("built, but not what upstream published: %s", strings.Join(differ, ", ")))
	case len(cannot) > 0:
		return fmt.Errorf("not built: %s", strings.Join(cannot, ", "))
	}
	return nil
}

// repository is the root of this repository, at or above dir.
func repository(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "versions", "lock.json")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("finding this repository: neither %q nor a folder above it has versions/lock.json; run inside the repository or name files with -dates", dir)
		}
	}
}
