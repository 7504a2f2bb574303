package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

const stopTimeout = 20 * time.Second

// workspace is a clone of the checkout with the settings of the test.
type workspace struct {
	config
	env      cli.Env
	checkout string
	environ  []string // of commands
	goSDK    string   // path of an archive of Go, named like the one of MODULE.bazel
}

func (w *workspace) program(name string) string { return w.path("bin", name) }

// loaded returns the path of the archive that the load target loads.
func (w *workspace) loaded() string { return w.path("loaded.tar") }

// newWorkspace clones the checkout and builds the programs of the test.
func newWorkspace(ctx context.Context, env cli.Env, c config) (*workspace, error) {
	w := &workspace{config: c, env: env, checkout: filepath.Join(c.dir, "checkout")}
	// bazelw saves the profile in the cache directory, so it gets one of its own.
	// Proxies of the machine are for the Go module proxy only.
	w.environ = append(os.Environ(),
		"PATH="+w.path("bin")+":"+env.Getenv("PATH"),
		"HYPERKUBE_PROFILE=online", "HYPERKUBE_CACHE="+w.path("cache"), "HYPERKUBE_STORE="+w.path("store"),
		"HYPERKUBE_UPSTREAM=", "HYPERKUBE_REBUILD=", "HYPERKUBE_BAZEL_MODULES=",
		"NO_PROXY=127.0.0.1,"+env.Getenv("NO_PROXY"), "no_proxy=127.0.0.1,"+env.Getenv("no_proxy"),
	)
	for _, dir := range []string{w.checkout, w.path("store")} {
		if err := removeAll(dir); err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("removing files of the previous test: %w", err)
		}
	}
	for _, dir := range []string{w.checkout, w.path("bin"), w.path("archives")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("creating the working directory: %w", err)
		}
	}
	root, err := w.command(ctx, "git", "-C", env.Dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	if _, err := w.command(ctx, "git", "clone", "--quiet", "--shared", strings.TrimSpace(root), w.checkout); err != nil {
		return nil, err
	}
	_, err = w.command(ctx, "go", "build", "-buildvcs=false", "-o", w.path("bin"), "./tools/airgap", "./tools/hk")
	return w, err
}

// configure makes Bazel use the server at url in place of all others.
func (w *workspace) configure(ctx context.Context, url string) error {
	sdkModule, err := w.moduleFile(ctx)
	if err != nil {
		return err
	}
	// Bazel rewrites URLs before it blocks hosts.
	blocked, err := os.ReadFile(filepath.Join(w.checkout, "tools", "bazel", "downloader.cfg"))
	if err != nil {
		return fmt.Errorf("reading the blocked hosts: %w", err)
	}
	kept := `127\.0\.0\.1`
	for _, host := range blockedHost.FindAllSubmatch(blocked, -1) {
		kept += "|" + regexp.QuoteMeta(string(host[1]))
	}
	for name, text := range map[string]string{
		filepath.Join(w.checkout, "MODULE.bazel"): sdkModule,
		filepath.Join(w.checkout, "user.bazelrc"): strings.Join([]string{
			// A server that is left behind ends.
			"startup --max_idle_secs=300",
			"common --registry=" + url + "/registry",
			"common --experimental_downloader_config=" + w.path("downloader.cfg"),
			"common --repo_env=HYPERKUBE_CACHE=" + w.path("cache"),
			"",
		}, "\n"),
		w.path("downloader.cfg"): string(blocked) + "rewrite ((?!(" + kept + ")[:/]).*) " + url + "/$1\n",
		// bazelw prefers bazelisk, here Debian's Bazel without the airgap profile.
		w.program("bazelisk"): fmt.Sprintf("#!/bin/sh\nexport HYPERKUBE_CACHE='%s'\nexec '%s' -bare -workspace '%s' -- --output_user_root='%s' \"$@\"\n",
			w.cache, w.program("airgap"), w.checkout, w.path("out")),
		// The load target runs docker load --input FILE.
		w.program("docker"): fmt.Sprintf("#!/bin/sh\nexec cat \"$3\" >'%s'\n", w.loaded()),
	} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			return fmt.Errorf("configuring Bazel: %w", err)
		}
	}
	return nil
}

var blockedHost = regexp.MustCompile(`(?m)^block (\S+)$`)

var sdkPin = regexp.MustCompile(`"(go[0-9.]+)\.` + runtime.GOOS + "-" + runtime.GOARCH + `\.tar\.gz",\s+"([0-9a-f]{64})"`)

// moduleFile packs Go and returns MODULE.bazel with the sha256 of that archive and
// with toolchains for rules_oci that need no download.
func (w *workspace) moduleFile(ctx context.Context) (string, error) {
	name := filepath.Join(w.checkout, "MODULE.bazel")
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("reading the pin of Go: %w", err)
	}
	pin := sdkPin.FindSubmatchIndex(text)
	if pin == nil {
		return "", fmt.Errorf("reading the pin of Go: %q has no archive for %s/%s", name, runtime.GOOS, runtime.GOARCH)
	}
	version := string(text[pin[2]:pin[3]])
	w.goSDK = w.path("archives", version+"."+runtime.GOOS+"-"+runtime.GOARCH+".tar.gz")
	goroot, err := w.command(ctx, "env", "GOTOOLCHAIN="+version, "go", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	if _, err := w.command(ctx, "tar", "-C", strings.TrimSpace(goroot), "--transform=s,^[.],go,S", "-I", "gzip -1", "-cf", w.goSDK, "."); err != nil {
		return "", err
	}
	sum, err := sha256File(w.goSDK)
	if err != nil {
		return "", err
	}
	patched := slices.Concat(text[:pin[4]], fmt.Appendf(nil, "%x", sum), text[pin[5]:])
	return string(patched) + `
bazel_dep(name = "oci_tools", version = "0")
local_path_override(module_name = "oci_tools", path = "airgap/modules/oci_tools")
register_toolchains("@oci_tools//:all")
`, nil
}

// checkEmptyStore returns an error if hk has fetched a file.
func (w *workspace) checkEmptyStore() error {
	files, err := filepath.Glob(w.path("store", "sha256", "*"))
	if err == nil && len(files) > 0 {
		err = fmt.Errorf("hk fetched %q", files)
	}
	return err
}

// shutdown ends Bazel's server, also after a signal.
func (w *workspace) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "./bazelw", "shutdown")
	cmd.Dir, cmd.Env = w.checkout, w.environ
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(w.env.Err, "onlinetest: stopping Bazel's server: %v; it ends after 5 idle minutes\n", err)
	}
}
