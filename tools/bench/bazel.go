package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// compareWithGenrule measures the layers of an index of two binaries for two
// architectures, from files that Bazel has fetched, against tar and gzip -6 in
// genrules. The index depends only on the layers' digests, so Bazel makes it in
// the first run alone. With upstream's rules_oci, the baseline has an index, too.
// The stand-in of the airgap profile accepts only layers of this repository, so
// there the baseline has layers alone.
func compareWithGenrule(compression, baseline string) prepareFunc {
	return func(ctx context.Context, env cli.Env, _ *workspace) (step, step, error) {
		target := "//e2e/bench:" + baseline
		if err := bazel(ctx, env, "build", "--nobuild", target); err != nil && env.Getenv("HYPERKUBE_BAZEL_MODULES") == "" {
			target += "_layers"
			fmt.Fprintln(env.Err, "bench: without upstream's rules_oci: the baseline makes layers and no index")
		}
		bin, err := command(ctx, env, "./bazelw", "info", "bazel-bin")
		if err != nil {
			return nil, nil, err
		}
		outputs := filepath.Join(strings.TrimSpace(bin), "e2e/bench")
		build := func(target string) step {
			return func(ctx context.Context, _ int) (int64, error) {
				// Missing outputs make Bazel run the actions again. With a build
				// setting that changes, it would also configure the tools again,
				// which a build of another image does not.
				if err := removeLayers(outputs); err != nil {
					return 0, err
				}
				return 0, bazel(ctx, env, "build", "--disk_cache=", "--remote_cache=", target)
			}
		}
		return build("//e2e/bench:" + compression), build(target), nil
	}
}

func removeLayers(dir string) error {
	for _, pattern := range []string{"*.tar.gz", "*.tar.zst", "*.descriptor.json"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		for _, file := range files {
			err = errors.Join(err, os.Remove(file))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nullBuild measures a build of Bazel without changes.
func nullBuild(_ context.Context, env cli.Env, _ *workspace) (step, step, error) {
	return func(ctx context.Context, _ int) (int64, error) {
		return 0, bazel(ctx, env, "build", "//images:v1_36_0")
	}, nil, nil
}

// freshNullBuild measures a build without changes by a fresh server of Bazel, in the
// profile of HYPERKUBE_PROFILE.
func freshNullBuild(_ context.Context, env cli.Env, _ *workspace) (step, step, error) {
	return func(ctx context.Context, _ int) (int64, error) {
		_, err := command(ctx, env, "./bazelw", "shutdown")
		return 0, errors.Join(err, bazel(ctx, env, "build", "//images:v1_36_0"))
	}, nil, nil
}

func bazel(ctx context.Context, env cli.Env, args ...string) error {
	_, err := command(ctx, env, "./bazelw", append(args, "--noshow_progress", "--ui_event_filters=-info")...)
	return err
}

// command returns the standard output of a program.
func command(ctx context.Context, env cli.Env, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = env.Dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, &stderr)
	}
	return string(out), nil
}
