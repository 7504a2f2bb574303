// Conformance builds the same images with the real rules_oci, with its stand-in
// and without Bazel, and compares every byte of the layouts. Small images on
// scratch and on bases, of rules_test, come first. It runs where the
// stand-in does, on a machine with the airgap profile, and needs a folder of
// upstream Bazel modules; see docs/airgap.md.
//
//	go run ./tools/conformance -modules DIR
//
// Exit codes: 0 all the same, 1 failed, 2 wrong usage, 3 something differs.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("conformance", run)) }

// builders make a layout in a folder each; the first is what the others are
// compared with.
type builder struct {
	name  string
	build func(ctx context.Context, env cli.Env, image, dir string) error
}

// testsFailed is what Bazel exits with where all was built, and a test failed.
const testsFailed = 3

func run(ctx context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("conformance", flag.ContinueOnError)
	modules := fs.String("modules", env.Getenv("HYPERKUBE_BAZEL_MODULES"), "the `folder` of upstream Bazel modules; default $HYPERKUBE_BAZEL_MODULES")
	version := fs.String("version", "v1.36.0", "the Kubernetes `version`")
	flavors := fs.String("flavors", "hyperkube,kubectl", "the flavors, separated by commas")
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *modules == "" {
		return cli.Usage("-modules: want a folder of upstream Bazel modules")
	}
	builders := []builder{
		{"rules_oci", bazel(*version, "HYPERKUBE_BAZEL_MODULES="+*modules)},
		{"stand-in", bazel(*version, "HYPERKUBE_BAZEL_MODULES=")},
		{"hk build", plain(*version)},
	}
	for _, folder := range []string{*modules, ""} {
		fmt.Fprintf(env.Err, "conformance: testing the small images with HYPERKUBE_BAZEL_MODULES=%s\n", folder)
		if _, err := command(ctx, env, "HYPERKUBE_BAZEL_MODULES="+folder, "./bazelw", "test", "//tools/conformance:rules_test"); err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == testsFailed {
				return cli.Exit(cli.ExitDrift, err)
			}
			return err
		}
	}
	fmt.Fprintln(env.Out, "small images: rules_oci, stand-in and Go: all the same")
	differs := false
	for _, flavor := range strings.Split(*flavors, ",") {
		same, err := compare(ctx, env, builders, flavor)
		if err != nil {
			return err
		}
		differs = differs || !same
	}
	if differs {
		return cli.Exit(cli.ExitDrift, errors.New("the builders do not agree"))
	}
	return nil
}

func compare(ctx context.Context, env cli.Env, builders []builder, flavor string) (same bool, err error) {
	dir, err := os.MkdirTemp("", "hyperkube-conformance-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	same = true
	for i, b := range builders {
		fmt.Fprintf(env.Err, "conformance: building %s with %s\n", flavor, b.name)
		if err := b.build(ctx, env, flavor, filepath.Join(dir, fmt.Sprint(i))); err != nil {
			return false, fmt.Errorf("building %s with %s: %w", flavor, b.name, err)
		}
		if i == 0 {
			continue
		}
		differences, files, err := difference(filepath.Join(dir, "0"), filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			return false, err
		}
		for _, d := range differences {
			fmt.Fprintf(env.Out, "%s: %s and %s: %s\n", flavor, builders[0].name, b.name, d)
			same = false
		}
		if len(differences) == 0 {
			fmt.Fprintf(env.Out, "%s: %s and %s: %d files, all the same\n", flavor, builders[0].name, b.name, files)
		}
	}
	return same, nil
}

// bazel builds the index under Bazel with one addition to the environment.
func bazel(version, setting string) func(context.Context, cli.Env, string, string) error {
	return func(ctx context.Context, env cli.Env, flavor, dir string) error {
		target := "//images:" + strings.ReplaceAll(version, ".", "_")
		if flavor != "hyperkube" {
			target = strings.Replace(target, ":", ":"+flavor+"_", 1)
		}
		if _, err := command(ctx, env, setting, "./bazelw", "build", target); err != nil {
			return err
		}
		out, err := command(ctx, env, setting, "./bazelw", "cquery", "--output=files", target)
		if err != nil {
			return err
		}
		from, err := filepath.EvalSymlinks(filepath.Join(env.Dir, strings.TrimSpace(out)))
		if err != nil {
			return err
		}
		// The next build makes its own in the same place.
		return os.CopyFS(dir, os.DirFS(from))
	}
}

func plain(version string) func(context.Context, cli.Env, string, string) error {
	return func(ctx context.Context, env cli.Env, flavor, dir string) error {
		_, err := command(ctx, env, "", "go", "run", "./tools/hk", "build", flavor+":"+version, "-o", dir)
		return err
	}
}

func command(ctx context.Context, env cli.Env, setting, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr = env.Dir, env.Err
	cmd.Env = append(os.Environ(), setting)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}

// difference compares two folders byte for byte.
func difference(a, b string) (differences []string, files int, err error) {
	left, err1 := read(a)
	right, err2 := read(b)
	if err := errors.Join(err1, err2); err != nil {
		return nil, 0, err
	}
	names := maps.Clone(left)
	maps.Copy(names, right)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		switch {
		case left[name] == nil:
			differences = append(differences, name+" is in the second alone")
		case right[name] == nil:
			differences = append(differences, name+" is in the first alone")
		case !bytes.Equal(left[name], right[name]):
			differences = append(differences, name+" differs")
		}
	}
	return differences, len(names), nil
}

func read(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(file)
		files[name] = append([]byte{}, raw...)
		return err
	})
	return files, err
}
