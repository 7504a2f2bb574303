package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/filelock"
	"github.com/hyperkube/hyperkube/tools/internal/kubeplan"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// effort is what a build took.
type effort struct {
	wall time.Duration
	peak int64    // bytes of memory of all its processes together
	with []string // all binaries of the same go command
}

// takeTurn waits until no other process of this user compiles: two at once
// take longer than one after the other, and twice the memory.
func (r *rebuilder) takeTurn(ctx context.Context) (*os.File, error) {
	var waiting *progress.Task
	lock, err := filelock.Acquire(ctx, filepath.Join(r.config.cache, "compile.lock"), func() {
		waiting = r.report.Start("waiting for another rebuild to finish compiling", "", 0)
	})
	if waiting != nil {
		waiting.Done()
	}
	return lock, err
}

// compile runs a build in two steps. Compilers may run side by side; linkers
// take up to 1.6 GB each, so there is one at a time.
func (r *rebuilder) compile(ctx context.Context, site kubeplan.Site, b kubeplan.Build, cache string, g group) (effort, error) {
	var names []string
	for _, pkg := range b.Packages() {
		names = append(names, path.Base(pkg))
	}
	what := fmt.Sprintf("%s %s %s", strings.Join(names, ", "), g.jobs[0].version, g.platform)
	start := time.Now()
	watch := &memory{}

	total, err := countPackages(ctx, site, b, cache)
	if err != nil {
		return effort{}, err
	}
	task := r.report.Start("compiling "+what, "packages", total)
	list := b
	list.Args = append([]string{"list", "-export", "-deps", "-f", "", "-v"}, b.Args[1:]...)
	if err := follow(site.Command(ctx, list, cache), watch, func(pkg string) { task.Detail(pkg); task.Add(1) }); err != nil {
		task.Fail()
		return effort{}, fmt.Errorf("compiling: %w", err)
	}
	task.Done()

	task = r.report.Start("linking "+what, "programs", int64(len(names)))
	if err := follow(site.Command(ctx, b, cache, "-p=1", "-v"), watch, func(pkg string) { task.Detail(pkg) }); err != nil {
		task.Fail()
		return effort{}, fmt.Errorf("linking: %w", err)
	}
	task.Done()
	return effort{time.Since(start), watch.peak(), names}, nil
}

// countPackages says how many packages a build is made of.
func countPackages(ctx context.Context, site kubeplan.Site, b kubeplan.Build, cache string) (int64, error) {
	list := b
	list.Args = append([]string{"list", "-deps", "-f", "{{.ImportPath}}"}, b.Args[1:]...)
	cmd := site.Command(ctx, list, cache)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("listing packages: %w: %s", err, lastLines(stderr.String()))
	}
	return int64(bytes.Count(stdout.Bytes(), []byte("\n"))), nil
}

// follow runs cmd, which prints the name of each package that it works on.
func follow(cmd *exec.Cmd, watch *memory, working func(pkg string)) error {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := watch.follow(cmd.Process.Pid)
	defer stop()
	var said []string
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := lines.Text(); strings.ContainsAny(line, " :") || strings.HasPrefix(line, "#") {
			said = append(said, line)
		} else {
			working(line)
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, lastLines(strings.Join(said, "\n")))
	}
	return nil
}

// lastLines is the end of what a program said, on one line.
func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "; ")
}
