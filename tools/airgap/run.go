package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// packages lists the Debian packages of the root: Bazel and its modules,
// programs that rules_oci runs, and programs that create further roots, which a
// rebuild needs inside of this one.
func packages() []string {
	return []string{
		"bazel-aspect-bazel-lib", "bazel-bootstrap", "bazel-features", "bazel-lib", "bazel-platforms",
		"bazel-rules-cc", "bazel-rules-java", "bazel-rules-license", "bazel-rules-pkg", "bazel-rules-proto",
		"bazel-rules-python", "bazel-rules-shell", "bazel-skylib", "bazel-stardoc",
		"jq", "libarchive-tools", "rust-coreutils", "zstd",
		"bubblewrap", "ca-certificates", "git", "gpg", "mmdebstrap", "mount",
	}
}

func run(ctx context.Context, env cli.Env) error {
	c, err := parse(env)
	if err != nil {
		return err
	}
	if runtime.GOOS != "linux" {
		return errors.New("the airgap profile runs on Linux only; elsewhere set HYPERKUBE_PROFILE=online")
	}
	if err := os.MkdirAll(c.path(), 0o755); err != nil {
		return fmt.Errorf("creating the cache directory: %w", err)
	}
	if err := debian.InstallTools(ctx, c.log); err != nil {
		return err
	}
	root, err := debian.Ensure(ctx, debian.Config{
		Dir: filepath.Join(c.cache, "roots"), Log: c.log, Progress: c.progress, Getenv: c.getenv,
	}, debian.Spec{Suite: "forky", Packages: packages()})
	if err != nil {
		return err
	}
	sdk, err := c.goSDK(ctx)
	if err != nil {
		return err
	}
	if !c.bare {
		if err := c.fetchModules(ctx, sdk); err != nil {
			return err
		}
	}
	if c.upstreamModules != "" || c.bare {
		if err := c.buildPrograms(ctx, sdk); err != nil {
			return err
		}
	}
	rc, err := c.writeProfile(ctx, root, sdk)
	if err != nil {
		return err
	}
	if c.setupOnly {
		return nil
	}
	return c.execBazel(root, sdk, rc)
}
