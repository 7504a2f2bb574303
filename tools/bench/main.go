// Command bench measures the speed and memory of this repository's tools and
// compares them with the promised limits. Most benchmarks alternate with a
// baseline, so that load on the machine affects both. The binaries of the
// measured version are read from the store, or fetched into it.
//
//	go run ./tools/bench            all benchmarks
//	go run ./tools/bench -n 9 gen   one benchmark, with more runs
//	go run ./tools/bench -list      names and limits
//
// Exit codes: 0 all limits met, 1 failed, 2 wrong usage, 3 a limit is exceeded.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() {
	os.Exit(cli.Main("bench", func(ctx context.Context, env cli.Env) error { return run(ctx, env, benchmarks()) }))
}

// benchmark measures a subject, and a baseline to compare it with.
type benchmark struct {
	name, description string
	limits            limits
	prepare           prepareFunc
}

// prepareFunc returns the measured steps; the baseline may be nil. Both may write
// to the workspace.
type prepareFunc func(ctx context.Context, env cli.Env, w *workspace) (subject, baseline step, err error)

// workspace is a temporary directory. After the benchmark the functions of cleanUp
// are called, the last one first, and the directory is removed.
type workspace struct {
	dir     string
	cleanUp []func() error
}

func (w *workspace) remove() error {
	var errs []error
	for _, f := range slices.Backward(w.cleanUp) {
		errs = append(errs, f())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

// step is one run and returns its peak memory in bytes, or 0 if it does not
// measure memory. n differs in every run, to avoid cached results.
type step func(ctx context.Context, n int) (memory int64, err error)

// benchmarks starts with those that measure memory: a child process inherits the
// peak memory of its parent, and the others make this process larger.
func benchmarks() []benchmark {
	return []benchmark{
		{"layer-gzip", "writing a layer of 1 GiB", limits{mebibytes: 64}, layerMemory("gzip")},
		{"layer-zstd", "writing a layer of 1 GiB", limits{mebibytes: 64}, layerMemory("zstd")},
		{"gen", "generating the BUILD files of 2,000 versions", limits{seconds: 1, mebibytes: 200}, generate},
		{"install-gzip", "installing kubelet and kubectl from a registry; baseline: ctr image pull, mount, copy and sync", limits{ratio: 0.50, mebibytes: 64}, compareWithContainerd("gzip")},
		{"install-zstd", "installing kubelet and kubectl from a registry; baseline: ctr image pull, mount, copy and sync", limits{ratio: 0.25, mebibytes: 64}, compareWithContainerd("zstd")},
		{"build-gzip", "building an index without Bazel; baseline: the compressor alone", limits{ratio: 1.30}, compareWithCompressor("gzip")},
		{"build-zstd", "building an index without Bazel; baseline: the compressor alone", limits{ratio: 1.30}, compareWithCompressor("zstd")},
		{"bazel-gzip", "writing the layers of an index with Bazel; baseline: tar and gzip -6 in one genrule", limits{ratio: 0.50}, compareWithGenrule("gzip", "baseline")},
		{"bazel-zstd", "writing the layers of an index with Bazel; baseline: tar and gzip -6 in one genrule", limits{ratio: 0.25}, compareWithGenrule("zstd", "baseline")},
		{"bazel-gzip-parallel", "writing the layers of an index with Bazel; baseline: a genrule for each layer", limits{ratio: 0.45}, compareWithGenrule("gzip", "baseline_parallel")},
		{"bazel-zstd-parallel", "writing the layers of an index with Bazel; baseline: a genrule for each layer", limits{ratio: 0.38}, compareWithGenrule("zstd", "baseline_parallel")},
		{"bazel-null", "building an image that is up to date with Bazel", limits{seconds: 0.6}, nullBuild},
		{"bazel-null-fresh", "stopping Bazel's server and building an image that is up to date", limits{}, freshNullBuild},
	}
}

func run(ctx context.Context, env cli.Env, benchmarks []benchmark) error {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	runs := fs.Int("n", 5, "`number` of runs; the median counts")
	list := fs.Bool("list", false, "list benchmarks and their limits, and exit")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if *runs < 1 {
		return cli.Usage("-n: want 1 or more, got %d", *runs)
	}
	selected := benchmarks
	if names := fs.Args(); len(names) > 0 {
		selected = nil
		for _, b := range benchmarks {
			if slices.Contains(names, b.name) {
				selected = append(selected, b)
				names = slices.DeleteFunc(names, func(name string) bool { return name == b.name })
			}
		}
		if len(names) > 0 {
			return cli.Usage("unknown benchmarks %q; -list prints all", names)
		}
	}
	if *list {
		for _, b := range selected {
			fmt.Fprintf(env.Out, "%-19s %s; limit: %s\n", b.name, b.description, b.limits)
		}
		return nil
	}
	var exceeded []string
	for _, b := range selected {
		r, err := measure(ctx, env, b, *runs)
		if err != nil {
			return fmt.Errorf("measuring %s: %w", b.name, err)
		}
		fmt.Fprintf(env.Out, "%-19s %s; limit: %s\n", b.name, r, b.limits)
		for _, e := range b.limits.exceeded(r) {
			exceeded = append(exceeded, b.name+": "+e)
		}
	}
	if len(exceeded) > 0 {
		return cli.Exit(cli.ExitDrift, fmt.Errorf("limits exceeded: %s", strings.Join(exceeded, "; ")))
	}
	return nil
}

func measure(ctx context.Context, env cli.Env, b benchmark, runs int) (r result, err error) {
	dir, err := os.MkdirTemp("", "hyperkube-bench-")
	if err != nil {
		return r, err
	}
	w := &workspace{dir: dir}
	defer func() { err = errors.Join(err, w.remove()) }()
	subject, baseline, err := b.prepare(ctx, env, w)
	if err != nil {
		return r, err
	}
	for n := range runs + 1 {
		start := time.Now()
		memory, err := subject(ctx, n)
		if err != nil {
			return r, err
		}
		seconds := time.Since(start).Seconds()
		var base float64
		if baseline != nil {
			start := time.Now()
			if _, err := baseline(ctx, n); err != nil {
				return r, err
			}
			base = time.Since(start).Seconds()
		}
		if n > 0 { // the first run fills caches
			r.add(seconds, base, memory)
		}
	}
	return r, nil
}
