package fetch

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/versions"
)

// kubernetes is the module whose programs can be built as ours: not upstream's
// bytes, but anybody's who builds them the same way.
const kubernetes = "k8s.io/kubernetes"

// buildKubernetes runs go build, with flags and a package, in the source tree of
// the key's version. It shares trees, caches and the compile lock with package
// rebuild, which builds upstream's bytes.
func (s *Fetcher) buildKubernetes(ctx context.Context, cache string, key versions.FileKey, toolchain string, settings, what []string, out string) error {
	tool, err := gotool.New(ctx, gotool.Config{Dir: filepath.Join(cache, "go"), Getenv: s.Getenv})
	if err != nil {
		return err
	}
	machine := "linux/" + runtime.GOARCH
	tree, err := sourcetree.Ensure(ctx, sourcetree.Config{
		Dir: sourcetree.Trees(cache), Tool: tool, Report: s.Progress, Platform: machine,
	}, key.Version.String())
	if err != nil {
		return err
	}
	defer tree.Close()
	goroot, err := tool.DownloadToolchain(ctx, strings.TrimPrefix(toolchain, "go"), machine)
	if err != nil {
		return err
	}
	turn, err := sourcetree.LockCompile(ctx, cache, s.Progress)
	if err != nil {
		return err
	}
	defer turn.Close()
	settings = append(settings,
		"GOCACHE="+sourcetree.BuildCache(cache, toolchain, "host"),
		// All modules are in the tree, under vendor, and its go.work counts.
		"GOPROXY=off", "GOFLAGS=", "GOWORK=",
	)
	command := func(args ...string) *exec.Cmd {
		return tool.ToolchainCommand(ctx, goroot.Dir, tree.Source(), settings, append(args, what...)...)
	}
	packages, err := gotool.CountPackages(command("list", "-deps"))
	if err != nil {
		return fmt.Errorf("listing the packages of %s: %w", key, err)
	}
	task := s.Progress.Start("compiling "+key.String(), "packages", packages)
	if err := gotool.Build(command("build", "-v", "-o", out), func(pkg string) { task.Detail(pkg); task.Add(1) }); err != nil {
		task.Fail()
		return fmt.Errorf("building %s: %w", key, err)
	}
	task.Done()
	return nil
}
