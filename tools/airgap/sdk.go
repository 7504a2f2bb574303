package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"github.com/bazelbuild/buildtools/build"
	"github.com/hyperkube/hyperkube/tools/airgap/internal/moduleregistry"
)

// goSDK is the Go that Bazel builds with: the very version that MODULE.bazel
// names, the machine's own or from the Go module proxy, where the checksum
// database vouches for it.
type goSDK struct {
	root string
	env  map[string]string // how this machine reaches Go modules
}

// goRoot is where Go lies in the root, wherever it lies on this machine, so that
// Bazel need not build anew when it moves.
const goRoot = "/usr/local/go"

// reach are the settings of the go command that say where modules come from.
// They may stand in a file beside the machine's own Go, which another Go does
// not read.
func reach() []string {
	return []string{"GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH", "GOMODCACHE", "GOCACHE"}
}

func (c config) goSDK(ctx context.Context) (goSDK, error) {
	version, err := hostVersion(c.moduleFile())
	if err != nil {
		return goSDK{}, err
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"env", "-json", "GOROOT"}, reach()...)...)
	cmd.Dir = c.path()
	cmd.Env = append(cmd.Environ(), "GOTOOLCHAIN=go"+version, "GOWORK=off")
	cmd.Stderr = c.log
	out, err := cmd.Output()
	if err != nil {
		return goSDK{}, fmt.Errorf("getting Go %s through the Go module proxy: running %q: %w", version, "go env", err)
	}
	var env map[string]string
	if err := json.Unmarshal(out, &env); err != nil {
		return goSDK{}, fmt.Errorf("reading the answer of %q: %w", "go env", err)
	}
	sdk := goSDK{root: env["GOROOT"], env: env}
	delete(env, "GOROOT")
	return sdk, nil
}

// hostVersion is the version in go_sdk.host of a module file.
func hostVersion(path string) (string, error) {
	f, err := moduleregistry.Parse(path)
	if err != nil {
		return "", err
	}
	for _, stmt := range f.Stmt {
		call, ok := stmt.(*build.CallExpr)
		if !ok || build.FormatString(call.X) != "go_sdk.host" {
			continue
		}
		if version := build.NewRule(call).AttrString("version"); version != "" {
			return version, nil
		}
	}
	return "", fmt.Errorf("finding the version of Go: %q has no go_sdk.host(version = …)", path)
}

// command is a run of the go command, outside of any module.
func (s goSDK) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.root+"/bin/go", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	for key, value := range s.env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	return cmd
}
