package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// execBazel replaces this process by Bazel inside the root. Bazel's server
// keeps running there after the client exits.
func (c config) execBazel(root *debian.Root, sdk goSDK, rc string) error {
	if os.Geteuid() != 0 {
		return c.execAsRoot()
	}
	// Another root needs another output directory and another server.
	output := c.path("out", root.Name())
	if err := os.MkdirAll(output, 0o755); err != nil {
		return fmt.Errorf("creating Bazel's output directory: %w", err)
	}
	binds := c.binds(sdk)
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", binds))
	args := append([]string{
		"/usr/bin/bazel", "--bazelrc=" + rc, "--output_user_root=" + output,
		// A server keeps the mounts that it started with, so other mounts need
		// another server: Bazel restarts it when a JVM argument changes.
		fmt.Sprintf("--host_jvm_args=-Dhyperkube.mounts=%x", sum[:6]),
	}, c.args...)
	return root.Exec(args, slices.Concat(bazelEnv(os.Environ(), sdk), mirrorEnv(mirror.Find(c.getenv))), c.dir, binds)
}

// execAsRoot executes this command again as root of a new user namespace.
func (c config) execAsRoot() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("locating this program: %w", err)
	}
	args := debian.AsRoot(append([]string{self, "-workspace", c.workspace, fmt.Sprintf("-bare=%t", c.bare), "--"}, c.args...)...)
	unshare, err := exec.LookPath(args[0])
	if err == nil {
		err = syscall.Exec(unshare, args, os.Environ())
	}
	return fmt.Errorf("entering a user namespace: %w", err)
}

// binds returns the host files that are mounted over the root: apt's
// configuration, Go, and paths of this build below the root's system
// directories.
func (c config) binds(sdk goSDK) []debian.Bind {
	binds := []debian.Bind{
		{Src: "/etc/apt", Dst: "/etc/apt", ReadOnly: true},
		{Src: sdk.root, Dst: goRoot, ReadOnly: true},
		// The profile contains the options of this file that are needed.
		{Src: os.DevNull, Dst: debianRC},
	}
	// Clients for the load targets, which are single files.
	for _, client := range []string{"docker", "nerdctl"} {
		if path, err := exec.LookPath(client); err == nil {
			binds = append(binds, debian.Bind{Src: path, Dst: "/usr/local/bin/" + client, ReadOnly: true})
		}
	}
	for _, path := range []string{
		c.workspace, c.dir, c.cache, c.store, c.upstreamModules, sdk.env["GOMODCACHE"], sdk.env["GOCACHE"],
		c.getenv("SSL_CERT_FILE"), c.getenv("HOME"), c.getenv("DOCKER_CONFIG"),
	} {
		top, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if !slices.Contains([]string{"usr", "var", "etc"}, top) {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			binds = append(binds, debian.Bind{Src: path, Dst: path})
		}
	}
	return binds
}

// mirrorEnv returns the settings that name the Debian mirror, for hk in repository
// rules. It cannot always find the mirror itself: the root has apt's configuration of
// the host, but not its package lists, which say whose repositories these are.
func mirrorEnv(m mirror.Mirror, err error) []string {
	if err != nil {
		return nil // hk reports it if a build needs a package
	}
	env := []string{mirror.ArchiveEnv + "=" + m.Archive.URI}
	if m.Security.URI != "" {
		env = append(env, mirror.SecurityEnv+"="+m.Security.URI)
	}
	return env
}

// bazelEnv returns the caller's environment with the settings for access to Go
// modules, and without variables that make programs of the root use files of the
// host. Unlike files and command lines, it is hidden from other users.
func bazelEnv(caller []string, sdk goSDK) []string {
	env := slices.DeleteFunc(slices.Clone(caller), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		_, set := sdk.env[name]
		return set || slices.Contains([]string{
			"PATH", "LANG", "LANGUAGE", "TMPDIR", "JAVA_HOME", "JAVA_TOOL_OPTIONS", "BASH_ENV", "ENV", "GOROOT", "GOTOOLCHAIN", "PERL5LIB", "PYTHONPATH", "PYTHONHOME",
		}, name) || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "LD_")
	})
	for _, key := range slices.Sorted(maps.Keys(sdk.env)) {
		if sdk.env[key] != "" {
			env = append(env, key+"="+sdk.env[key])
		}
	}
	return append(env,
		"PATH="+goRoot+"/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8", "GOROOT="+goRoot, "GOTOOLCHAIN=local",
	)
}
