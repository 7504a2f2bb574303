package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// underBazel measures an index of two binaries for two architectures from
// files that Bazel has, against what others do in a genrule: tar and gzip -6.
// Where the real rules_oci is, both make an index; its stand-in takes no other
// layers than ours, so there the baseline stops at the layers, and is too good.
func underBazel(compression, against string) func(context.Context, cli.Env, string) (step, step, error) {
	return func(ctx context.Context, env cli.Env, _ string) (step, step, error) {
		baseline := "//e2e/bench:" + against
		if err := bazel(ctx, env, "build", "--nobuild", baseline); err != nil && env.Getenv("HYPERKUBE_BAZEL_MODULES") == "" {
			baseline += "_layers"
			fmt.Fprintln(env.Err, "bench: no real rules_oci here: the baseline makes layers and no index")
		}
		// A new suffix of the output folder is a build that has nothing cached,
		// except of the tools, which have been built for another folder.
		stamp := strconv.FormatInt(time.Now().UnixNano(), 36)
		build := func(target string) step {
			return func(ctx context.Context, n int) error {
				return bazel(ctx, env, "build", fmt.Sprintf("--//e2e/bench:run=%s-%d", stamp, n), target)
			}
		}
		return build("//e2e/bench:" + compression), build(baseline), nil
	}
}

func nullBuild(_ context.Context, env cli.Env, _ string) (step, step, error) {
	return func(ctx context.Context, _ int) error {
		return bazel(ctx, env, "build", "//images:v1_36_0")
	}, nil, nil
}

func bazel(ctx context.Context, env cli.Env, args ...string) error {
	return command(ctx, env, "./bazelw", append(args, "--noshow_progress", "--ui_event_filters=-info")...)
}

func command(ctx context.Context, env cli.Env, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = env.Dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return nil
}
