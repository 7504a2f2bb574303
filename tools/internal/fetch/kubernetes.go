package fetch

import (
	"bytes"
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

// kubernetes is a module whose programs are built with our flags, which gives
// reproducible bytes, but not those of upstream.
const kubernetes = "k8s.io/kubernetes"

// buildKubernetes runs "go build", with args for flags and package, in the source
// tree of the key's version. It shares source trees, build caches and the compile
// lock with rebuilds, which produce upstream's bytes.
func (f *Fetcher) buildKubernetes(ctx context.Context, cache string, key versions.FileKey, toolchain string, env, args []string, out string) error {
	tool, err := gotool.New(ctx, gotool.Config{Dir: filepath.Join(cache, "go"), Getenv: f.Getenv})
	if err != nil {
		return err
	}
	platform := "linux/" + runtime.GOARCH
	tree, err := sourcetree.Ensure(ctx, sourcetree.Config{
		Dir: sourcetree.Trees(cache), Tool: tool, Progress: f.Progress, Platform: platform,
	}, key.Version.String())
	if err != nil {
		return err
	}
	defer tree.Close()
	goroot, err := tool.DownloadToolchain(ctx, strings.TrimPrefix(toolchain, "go"), platform)
	if err != nil {
		return err
	}
	lock, err := sourcetree.LockCompile(ctx, cache, f.Progress)
	if err != nil {
		return err
	}
	defer lock.Close()
	env = append(env,
		"GOCACHE="+sourcetree.BuildCache(cache, toolchain, "host"),
		// The tree vendors all modules and has its own go.work.
		"GOPROXY=off", "GOFLAGS=", "GOWORK=",
	)
	command := func(subcommand ...string) *exec.Cmd {
		return tool.ToolchainCommand(ctx, goroot.Dir, tree.Source(), env, append(subcommand, args...)...)
	}
	packages, err := gotool.Output(command("list", "-deps"))
	if err != nil {
		return fmt.Errorf("listing the packages of %s: %w", key, err)
	}
	task := f.Progress.Start("compiling "+key.String(), "packages", int64(bytes.Count(packages, []byte("\n"))))
	err = gotool.Run(command("build", "-v", "-o", out), nil, gotool.EachPackage(func(pkg string) { task.Detail(pkg); task.Add(1) }))
	if err != nil {
		task.Fail()
		return fmt.Errorf("building %s: %w", key, err)
	}
	task.Done()
	return nil
}
