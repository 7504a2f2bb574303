// Package gotool downloads Go toolchains and modules and runs the go command. Of the
// host's configuration it uses only the settings that reach module proxies.
package gotool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
)

// Config configures a [Tool].
type Config struct {
	Dir    string              // directory of the module cache and a build cache
	Getenv func(string) string // environment of the process
	GoSum  string              // go.sum file to trust in place of the checksum database; "" for the database
}

// Tool is the host's go command with a defined environment.
type Tool struct {
	command string
	env     []string
	dir     string
	sums    map[string]string // "path version" to h1; nil to use the checksum database
	sumdb   string            // GOSUMDB of the host
}

// hostSettings are the settings of the host that reach modules. All others have
// fixed values.
var hostSettings = []string{"GOPROXY", "GOSUMDB", "GONOPROXY", "GOINSECURE", "GOAUTH", "GOVCS"}

// hostVariables are the variables of the environment that programs need to reach a
// proxy.
var hostVariables = []string{
	"PATH", "HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// New finds the host's go command and reads its settings.
func New(ctx context.Context, c Config) (*Tool, error) {
	command, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("finding go: %w; install Go 1.21 or later, which downloads other versions", err)
	}
	t := &Tool{command: command, dir: c.Dir, env: environ(c.Getenv, hostVariables)}
	settings, err := readHostSettings(ctx, command, slices.Concat(t.env, environ(c.Getenv, hostSettings),
		environ(c.Getenv, []string{"GOENV", "GOPRIVATE", "XDG_CONFIG_HOME"})))
	if err != nil {
		return nil, err
	}
	t.sumdb = settings["GOSUMDB"]
	if c.GoSum != "" {
		if t.sums, err = readGoSum(c.GoSum); err != nil {
			return nil, err
		}
		settings["GOSUMDB"] = "off"
	} else if settings["GOSUMDB"] == "off" {
		return nil, errors.New("the Go checksum database is off on this host (go env GOSUMDB). " +
			"Fix: unset GOSUMDB, or run hk rebuild with --gosum")
	}
	t.env = slices.Concat(t.env, environ(func(name string) string { return settings[name] }, hostSettings), []string{
		"GOENV=off", "GO111MODULE=on", "GOTOOLCHAIN=local", "GOWORK=off", "GOTELEMETRY=off", "LC_ALL=C",
		// Allows RemoveModules.
		"GOFLAGS=-modcacherw",
		"GOPATH=" + filepath.Join(c.Dir, "gopath"),
		"GOMODCACHE=" + filepath.Join(c.Dir, "mod"),
		"GOCACHE=" + filepath.Join(c.Dir, "gocache"),
	})
	return t, nil
}

// environ returns "NAME=value" for each name that has a value.
func environ(getenv func(string) string, names []string) []string {
	var env []string
	for _, name := range names {
		if v := getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func readHostSettings(ctx context.Context, command string, env []string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, command, append([]string{"env", "-json"}, hostSettings...)...)
	// A go.mod at the working directory may require another toolchain.
	cmd.Dir = filepath.Dir(command)
	cmd.Env = append(env, "GOTOOLCHAIN=local", "GOWORK=off")
	out, err := Output(cmd)
	if err != nil {
		return nil, fmt.Errorf("reading the settings of go: %w", err)
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("reading the settings of go: %w", err)
	}
	return settings, nil
}

// Command returns a run of the host's go command in dir.
func (t *Tool) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.command, args...)
	cmd.Dir = dir
	cmd.Env = slices.Clip(t.env)
	return cmd
}

// ToolchainCommand is [Tool.Command] with the go command of another toolchain and
// additional environment; see [Tool.DownloadToolchain].
func (t *Tool) ToolchainCommand(ctx context.Context, goroot, dir string, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(goroot, "bin", "go"), args...)
	cmd.Dir = dir
	cmd.Env = append(append(slices.Clip(t.env), "GOROOT="+goroot), env...)
	return cmd
}

// maxFile bounds a go.sum and a response of the proxy, in bytes.
const maxFile = 16 << 20

func readGoSum(path string) (map[string]string, error) {
	data, err := ReadFile(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("reading go.sum %q: %w", path, err)
	}
	return ParseGoSum(path, data)
}

// ParseGoSum parses a go.sum file into a map of "path version" to "h1:…". The
// version of a go.mod file ends in "/go.mod".
func ParseGoSum(name string, data []byte) (map[string]string, error) {
	sums := map[string]string{}
	for i, line := range strings.Split(string(data), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 3 || !strings.HasPrefix(f[2], "h1:") {
			return nil, fmt.Errorf("parsing go.sum \"%s:%d\": want path, version and sum, got %q", name, i+1, line)
		}
		sums[f[0]+" "+f[1]] = f[2]
	}
	return sums, nil
}

// MaxSource is the maximum size of a file of a module that this repository parses,
// in bytes.
const MaxSource = maxFile

// ReadFile is [ctxio.ReadFile] without a context.
func ReadFile(path string, limit int64) ([]byte, error) {
	return ctxio.ReadFile(context.Background(), path, limit)
}
