package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"github.com/hyperkube/hyperkube/tools/airgap/internal/moduleregistry"
)

// goSDK is the Go toolchain that Bazel uses, in the version that MODULE.bazel
// names. It is the host's, or a download from the Go module proxy, verified by
// the checksum database.
type goSDK struct {
	root string
	env  map[string]string // settings for access to Go modules
}

// goRoot is the mount point of the toolchain. The path is part of Bazel's
// action keys, so it must not depend on the host.
const goRoot = "/usr/local/go"

func (c config) goSDK(ctx context.Context) (goSDK, error) {
	version, err := hostVersion(c.moduleFile())
	if err != nil {
		return goSDK{}, err
	}
	// Settings for modules may be in GOROOT/go.env of the host's Go, which another
	// toolchain does not read.
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOROOT",
		"GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH", "GOMODCACHE", "GOCACHE")
	cmd.Dir = c.path()
	cmd.Env = append(cmd.Environ(), "GOTOOLCHAIN=go"+version, "GOWORK=off")
	cmd.Stderr = c.log
	out, err := cmd.Output()
	if err != nil {
		return goSDK{}, fmt.Errorf("fetching Go %s from the Go module proxy: running %q: %w", version, "go env", err)
	}
	var env map[string]string
	if err := json.Unmarshal(out, &env); err != nil {
		return goSDK{}, fmt.Errorf("parsing the output of %q: %w", "go env", err)
	}
	sdk := goSDK{root: env["GOROOT"], env: env}
	delete(env, "GOROOT")
	return sdk, nil
}

// hostVersion returns the version in the go_sdk.host call of a module file.
func hostVersion(path string) (string, error) {
	f, err := moduleregistry.Parse(path)
	if err != nil {
		return "", err
	}
	for _, r := range f.Rules("go_sdk.host") {
		if version := r.AttrString("version"); version != "" {
			return version, nil
		}
	}
	return "", fmt.Errorf("reading the Go version: %q has no go_sdk.host(version = …)", path)
}

// command returns a run of the go command outside of any module.
func (s goSDK) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.root+"/bin/go", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	for key, value := range s.env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	return cmd
}
