// Bench compares the speed of lookups and of reading with Gardener's library, in one
// run on one machine, and fails if a ratio is below its minimum.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	gardener "github.com/gardener/gardener/pkg/utils/imagevector"

	"github.com/hyperkube/hyperkube/imagevector"
)

func main() {
	lookups := flag.Int("lookups", 100_000, "lookups in Gardener's own containers.yaml")
	flag.Parse()
	if err := run(context.Background(), *lookups); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// query is one lookup of a grid.
type query struct{ name, version, arch string }

func run(ctx context.Context, lookups int) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "what\tentries\tlookups\tours\tGardener's\tratio\tbar\t")
	var failed []error
	compare := func(what string, text []byte, count, theirCount int, bar float64) error {
		ours, theirs, err := read(text)
		if err != nil {
			return err
		}
		grid := makeGrid(ours.Names(), count)
		if err := agree(ours, theirs, grid[:min(len(grid), 200)]); err != nil {
			return err
		}
		// The fastest of several rounds, which depends least on the load of the machine.
		fast, slow := time.Duration(1<<62), time.Duration(1<<62)
		for range 3 {
			start := time.Now()
			for _, q := range grid {
				_, _ = ours.Find(q.name, imagevector.RuntimeVersion(q.version), imagevector.TargetVersion(q.version), imagevector.Architecture(q.arch))
			}
			fast = min(fast, time.Since(start)/time.Duration(len(grid)))
			start = time.Now()
			for _, q := range grid[:theirCount] {
				_, _ = theirs.FindImage(q.name, gardener.RuntimeVersion(q.version), gardener.TargetVersion(q.version), gardener.Architecture(q.arch))
			}
			slow = min(slow, time.Since(start)/time.Duration(theirCount))
		}
		ratio := float64(slow) / float64(fast)
		fmt.Fprintf(out, "%s\t%d\t%d\t%v\t%v\t%.0f\t%.0f\t\n", what, ours.Len(), count, fast, slow, ratio, bar)
		if ratio < bar {
			failed = append(failed, fmt.Errorf("%s: %.1f times as fast, the bar is %.0f", what, ratio, bar))
		}
		return ctx.Err()
	}

	containers, err := gardenersContainers(ctx)
	if err != nil {
		return err
	}
	if err := compare("containers.yaml of Gardener", containers, lookups, lookups, 20); err != nil {
		return err
	}
	for _, names := range []int{10_000, 100, 1} {
		theirs := min(20_000, 20*names)
		if err := compare(fmt.Sprintf("%d names", names), manyEntries(10_000, names), max(theirs, 20_000), theirs, 100); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := reading(manyEntries(10_000, 100)); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func read(text []byte) (*imagevector.Vector, gardener.ImageVector, error) {
	ours, err := imagevector.Parse(text)
	if err != nil {
		return nil, nil, err
	}
	theirs, _, err := gardener.Read(text)
	return ours, theirs, err
}

// agree checks that both libraries have equal results.
func agree(ours *imagevector.Vector, theirs gardener.ImageVector, grid []query) error {
	for _, q := range grid {
		a, errA := ours.Find(q.name, imagevector.RuntimeVersion(q.version), imagevector.TargetVersion(q.version), imagevector.Architecture(q.arch))
		b, errB := theirs.FindImage(q.name, gardener.RuntimeVersion(q.version), gardener.TargetVersion(q.version), gardener.Architecture(q.arch))
		if fmt.Sprint(errA) != fmt.Sprint(errB) || errA == nil && a.String() != b.String() {
			return fmt.Errorf("looking up %v: ours %v, %v; Gardener's %v, %v", q, a, errA, b, errB)
		}
	}
	return nil
}

// makeGrid returns a lookup of every name, Kubernetes version and architecture.
func makeGrid(names []string, count int) []query {
	var versions []string
	for i := range 9 * 12 {
		versions = append(versions, fmt.Sprintf("1.%d.%d", 28+i%9, i/9))
	}
	grid := make([]query, count)
	for i := range grid {
		grid[i] = query{
			name:    names[i%len(names)],
			version: versions[i/len(names)%len(versions)],
			arch:    []string{"amd64", "arm64"}[i/len(names)/7%2],
		}
	}
	return grid
}

// gardenersContainers returns the image vector of Gardener.
func gardenersContainers(ctx context.Context) ([]byte, error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/gardener/gardener").Output()
	if err != nil {
		return nil, fmt.Errorf("finding Gardener's source: %w", err)
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "imagevector/containers.yaml"))
}

// manyEntries returns a vector with an entry for each name and version.
func manyEntries(entries, names int) []byte {
	var b strings.Builder
	b.WriteString("images:\n")
	for i := range entries {
		version := fmt.Sprintf("1.%d.%d", 28+i/names%9, i/names/9)
		fmt.Fprintf(&b, "- name: image-%d\n  sourceRepository: github.com/kubernetes/kubernetes\n  repository: registry.k8s.io/image-%d\n  tag: \"v%s\"\n  targetVersion: \"= %s\"\n  architectures:\n  - amd64\n  - arm64\n", i%names, i%names, version, version)
	}
	return []byte(b.String())
}

// reading measures the time to read a file of 10,000 entries.
func reading(text []byte) error {
	const bar = 300 * time.Millisecond
	strict, compatible, theirs := time.Duration(1<<62), time.Duration(1<<62), time.Duration(1<<62)
	for range 5 {
		start := time.Now()
		if _, err := imagevector.Parse(text); err != nil {
			return err
		}
		strict = min(strict, time.Since(start))
		start = time.Now()
		if _, err := imagevector.Parse(text, imagevector.Compatible()); err != nil {
			return err
		}
		compatible = min(compatible, time.Since(start))
		start = time.Now()
		if _, _, err := gardener.Read(text); err != nil {
			return err
		}
		theirs = min(theirs, time.Since(start))
	}
	fmt.Printf("\nreading 10,000 entries, %d bytes: strict %v, compatible %v, both with positions; Gardener's %v, without\n", len(text), strict, compatible, theirs)
	if strict > bar {
		return fmt.Errorf("reading took %v, the bar is %v", strict, bar)
	}
	return nil
}
