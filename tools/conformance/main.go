// Command conformance builds the same images with upstream's rules_oci, with its
// stand-in in airgap/modules and without Bazel, and compares every byte of the
// layouts. Before that, it runs rules_test with small images. It needs a machine
// with the airgap profile and a directory of upstream Bazel modules; see
// docs/airgap.md.
//
//	go run ./tools/conformance -modules DIR [IMAGE...]
//
// Exit codes: 0 all equal, 1 failed, 2 wrong usage, 3 a difference was found.
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

// builder writes the layout of an image to a directory.
type builder struct {
	name  string
	build func(ctx context.Context, env cli.Env, image, dir string) error
}

// testsFailed is the exit status of Bazel when tests were built and failed.
const testsFailed = 3

func run(ctx context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("conformance", flag.ContinueOnError)
	modules := fs.String("modules", env.Getenv("HYPERKUBE_BAZEL_MODULES"), "`directory` of upstream Bazel modules; default $HYPERKUBE_BAZEL_MODULES")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if *modules == "" {
		return cli.Usage("missing flag -modules: want a directory of upstream Bazel modules")
	}
	images := fs.Args()
	if len(images) == 0 {
		images = []string{"hyperkube:v1.36.0", "kubectl:v1.36.0"}
	}
	// The first one is compared with the others.
	builders := []builder{
		{"rules_oci", bazel("HYPERKUBE_BAZEL_MODULES=" + *modules)},
		{"stand-in", bazel("HYPERKUBE_BAZEL_MODULES=")},
		{"hk build", withoutBazel},
	}
	for _, dir := range []string{*modules, ""} {
		fmt.Fprintf(env.Err, "conformance: testing small images with HYPERKUBE_BAZEL_MODULES=%s\n", dir)
		if _, err := command(ctx, env, "HYPERKUBE_BAZEL_MODULES="+dir, "./bazelw", "test", "//tools/conformance:rules_test"); err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == testsFailed {
				return cli.Exit(cli.ExitDrift, err)
			}
			return err
		}
	}
	fmt.Fprintln(env.Out, "small images: rules_oci, stand-in and Go: equal")
	differs := false
	for _, image := range images {
		same, err := compare(ctx, env, builders, image)
		if err != nil {
			return err
		}
		differs = differs || !same
	}
	if differs {
		return cli.Exit(cli.ExitDrift, errors.New("layouts differ"))
	}
	return nil
}

// compare builds an image with every builder and compares the first layout with
// the others.
func compare(ctx context.Context, env cli.Env, builders []builder, image string) (same bool, err error) {
	dir, err := os.MkdirTemp("", "hyperkube-conformance-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	same = true
	for i, b := range builders {
		fmt.Fprintf(env.Err, "conformance: building %s with %s\n", image, b.name)
		if err := b.build(ctx, env, image, filepath.Join(dir, fmt.Sprint(i))); err != nil {
			return false, fmt.Errorf("building %s with %s: %w", image, b.name, err)
		}
		if i == 0 {
			continue
		}
		differences, files, err := difference(filepath.Join(dir, "0"), filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			return false, err
		}
		for _, d := range differences {
			fmt.Fprintf(env.Out, "%s: %s and %s: %s\n", image, builders[0].name, b.name, d)
			same = false
		}
		if len(differences) == 0 {
			fmt.Fprintf(env.Out, "%s: %s and %s: %d files, equal\n", image, builders[0].name, b.name, files)
		}
	}
	return same, nil
}

// bazel returns a build function that runs Bazel with an additional environment
// variable.
func bazel(setting string) func(ctx context.Context, env cli.Env, image, dir string) error {
	return func(ctx context.Context, env cli.Env, image, dir string) error {
		// The targets of the default flavor have no prefix.
		target := "//images:" + strings.NewReplacer(":", "_", ".", "_", "-", "_").Replace(strings.TrimPrefix(image, "hyperkube:"))
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
		// The next build replaces the output.
		return os.CopyFS(dir, os.DirFS(from))
	}
}

// withoutBazel is the build function of hk build.
func withoutBazel(ctx context.Context, env cli.Env, image, dir string) error {
	_, err := command(ctx, env, "", "go", "run", "./tools/hk", "build", image, "-o", dir)
	return err
}

// command runs a command with an additional environment variable and returns its
// stdout.
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

// difference compares two directories byte by byte.
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
			differences = append(differences, name+" is only in the second")
		case right[name] == nil:
			differences = append(differences, name+" is only in the first")
		case !bytes.Equal(left[name], right[name]):
			differences = append(differences, name+" differs")
		}
	}
	return differences, len(names), nil
}

func read(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files[name], err = fs.ReadFile(root, name)
		}
		return err
	})
	return files, err
}
