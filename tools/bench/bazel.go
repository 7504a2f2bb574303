package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// compareWithGenrule measures an index of two binaries for two architectures,
// from files that Bazel has fetched, against tar and gzip -6 in genrules. With
// upstream's rules_oci, the baseline makes an index, too. The stand-in of the
// airgap profile accepts only layers of this repository, so there the baseline
// does less: it makes layers without an index.
func compareWithGenrule(compression, baseline string) prepareFunc {
	return func(ctx context.Context, env cli.Env, _ string) (step, step, error) {
		target := "//e2e/bench:" + baseline
		if err := bazel(ctx, env, "build", "--nobuild", target); err != nil && env.Getenv("HYPERKUBE_BAZEL_MODULES") == "" {
			target += "_layers"
			fmt.Fprintln(env.Err, "bench: without upstream's rules_oci: the baseline makes layers and no index")
		}
		// A new output path for every run avoids cached actions. The tools are
		// built in another configuration and stay cached.
		stamp := strconv.FormatInt(time.Now().UnixNano(), 36)
		build := func(target string) step {
			return func(ctx context.Context, n int) (int64, error) {
				return 0, bazel(ctx, env, "build", fmt.Sprintf("--//e2e/bench:run_id=%s-%d", stamp, n), target)
			}
		}
		return build("//e2e/bench:" + compression), build(target), nil
	}
}

// nullBuild measures a build of Bazel without changes.
func nullBuild(_ context.Context, env cli.Env, _ string) (step, step, error) {
	return func(ctx context.Context, _ int) (int64, error) {
		return 0, bazel(ctx, env, "build", "//images:v1_36_0")
	}, nil, nil
}

// freshNullBuild measures a build without changes by a fresh server of Bazel, in the
// profile of HYPERKUBE_PROFILE.
func freshNullBuild(_ context.Context, env cli.Env, _ string) (step, step, error) {
	return func(ctx context.Context, _ int) (int64, error) {
		return 0, errors.Join(command(ctx, env, "./bazelw", "shutdown"), bazel(ctx, env, "build", "//images:v1_36_0"))
	}, nil, nil
}

func bazel(ctx context.Context, env cli.Env, args ...string) error {
	return command(ctx, env, "./bazelw", append(args, "--noshow_progress", "--ui_event_filters=-info")...)
}

func command(ctx context.Context, env cli.Env, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = env.Dir
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, output.String())
	}
	return nil
}
