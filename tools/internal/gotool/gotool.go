// Package gotool gets Go toolchains and modules through the module proxy that
// the machine's own Go is configured with, and runs that Go with nothing else
// of the machine's configuration.
package gotool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Config says where things are kept and what is trusted.
type Config struct {
	Dir    string              // holds the module cache and a build cache for small questions
	Getenv func(string) string // the process environment
	GoSum  string              // a go.sum to trust instead of the checksum database; "" for the database
}

// Tool is the machine's go command with an environment of ours.
type Tool struct {
	command string
	env     []string
	dir     string
	sums    map[string]string // "path version" to h1; nil where the checksum database is asked
	sumdb   string            // the machine's checksum database
}

// site are the settings that say how this machine reaches modules; all other
// settings are ours.
var site = []string{"GOPROXY", "GOSUMDB", "GONOPROXY", "GOINSECURE", "GOAUTH", "GOVCS"}

// passed are the variables that a program needs to reach its proxy.
var passed = []string{
	"PATH", "HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// New finds the machine's Go and its settings.
func New(ctx context.Context, c Config) (*Tool, error) {
	command, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("finding go: %w; install any Go from 1.21 on, it fetches the others", err)
	}
	t := &Tool{command: command, dir: c.Dir}
	for _, name := range passed {
		if v := c.Getenv(name); v != "" {
			t.env = append(t.env, name+"="+v)
		}
	}
	settings, err := siteSettings(ctx, command, append(t.env[:len(t.env):len(t.env)], given(c.Getenv)...))
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
		return nil, errors.New("finding what to trust: the Go checksum database is off on this machine (go env GOSUMDB); " +
			"unset GOSUMDB, or run hk rebuild with --gosum")
	}
	for _, name := range site {
		if settings[name] != "" {
			t.env = append(t.env, name+"="+settings[name])
		}
	}
	t.env = append(t.env,
		"GOENV=off", "GO111MODULE=on", "GOTOOLCHAIN=local", "GOWORK=off", "GOTELEMETRY=off", "LC_ALL=C",
		// Folders that can be removed again.
		"GOFLAGS=-modcacherw",
		"GOPATH="+filepath.Join(c.Dir, "gopath"),
		"GOMODCACHE="+filepath.Join(c.Dir, "mod"),
		"GOCACHE="+filepath.Join(c.Dir, "gocache"),
	)
	return t, nil
}

// given are the settings that stand in the environment rather than in go's own
// file of settings.
func given(getenv func(string) string) []string {
	var env []string
	for _, name := range append(site[:len(site):len(site)], "GOENV", "GOPRIVATE", "XDG_CONFIG_HOME") {
		if v := getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func siteSettings(ctx context.Context, command string, env []string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, command, append([]string{"env", "-json"}, site...)...)
	// A go.mod around the working directory could ask for another Go.
	cmd.Dir = filepath.Dir(command)
	cmd.Env = append(env, "GOTOOLCHAIN=local", "GOWORK=off")
	out, err := Output(cmd)
	if err != nil {
		return nil, fmt.Errorf("asking go for its settings: %w", err)
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("asking go for its settings: %w", err)
	}
	return settings, nil
}

// Command is the machine's go in dir, with the network.
func (t *Tool) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.command, args...)
	cmd.Dir = dir
	cmd.Env = t.env
	return cmd
}

// ToolchainCommand is like Command, but runs the go of another toolchain; see
// [Tool.DownloadToolchain]. Settings come last, so they win.
func (t *Tool) ToolchainCommand(ctx context.Context, goroot, dir string, settings []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(goroot, "bin", "go"), args...)
	cmd.Dir = dir
	cmd.Env = append(append(t.env[:len(t.env):len(t.env)], "GOROOT="+goroot), settings...)
	return cmd
}

// maxFile bounds what is read of a go.sum or an answer of the proxy.
const maxFile = 16 << 20

func readGoSum(path string) (map[string]string, error) {
	data, err := ReadFile(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("reading go.sum %q: %w", path, err)
	}
	return ParseGoSum(path, data)
}

// ParseGoSum reads a go.sum: "path version" to "h1:…". The sums of go.mod
// files have "/go.mod" after the version.
func ParseGoSum(name string, data []byte) (map[string]string, error) {
	sums := map[string]string{}
	for i, line := range strings.Split(string(data), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 3 || !strings.HasPrefix(f[2], "h1:") {
			return nil, fmt.Errorf("reading go.sum \"%s:%d\": %q is not a path, a version and a sum", name, i+1, line)
		}
		sums[f[0]+" "+f[1]] = f[2]
	}
	return sums, nil
}

// ReadFile reads a file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%d bytes, more than the %d allowed", info.Size(), limit)
	}
	return os.ReadFile(path)
}
