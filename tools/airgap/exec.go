package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
	"golang.org/x/sys/unix"
)

// become turns this process into Bazel inside the root. Bazel's server stays
// there when the client has ended, as everywhere.
func (c config) become(root *debian.Root, sdk goSDK, rc string) error {
	if os.Geteuid() != 0 {
		return c.asRoot()
	}
	// Output of another root is of no use, and a server in it neither.
	output := c.path("out", root.Name())
	if err := os.MkdirAll(output, 0o755); err != nil {
		return fmt.Errorf("making Bazel's folder: %w", err)
	}
	binds := c.binds(sdk)
	args := append([]string{
		"/usr/bin/bazel", "--bazelrc=" + rc, "--output_user_root=" + output,
		// A server keeps the mounts that it began with: others, another server.
		"--host_jvm_args=-Dhyperkube.mounts=" + fingerprint(binds),
	}, c.args...)
	return root.Exec(args, environment(exec.Command("bazel").Environ()), c.dir, binds)
}

// fingerprint is short for binds.
func fingerprint(binds []debian.Bind) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", binds))
	return hex.EncodeToString(sum[:6])
}

// asRoot runs this command again where its user is root: in a user namespace.
func (c config) asRoot() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return fmt.Errorf("entering a user namespace: %w", err)
	}
	args := append([]string{"unshare", "--map-root-user", "--map-auto", "--", self, "-workspace", c.workspace, "--"}, c.args...)
	return fmt.Errorf("entering a user namespace: %w", unix.Exec(unshare, args, exec.Command(self).Environ()))
}

// binds are the machine's files that the root has none of: how to reach its
// mirror, and whatever this build needs of folders that a root has itself.
func (c config) binds(sdk goSDK) []debian.Bind {
	binds := []debian.Bind{
		{Src: "/etc/apt", Dst: "/etc/apt", ReadOnly: true},
		{Src: sdk.root, Dst: goRoot, ReadOnly: true},
		// What of it is wanted stands in the profile.
		{Src: os.DevNull, Dst: debianRC},
	}
	// What an image can be loaded into, as far as its client is one file.
	for _, client := range []string{"docker", "nerdctl"} {
		if path, err := exec.LookPath(client); err == nil {
			binds = append(binds, debian.Bind{Src: path, Dst: "/usr/local/bin/" + client, ReadOnly: true})
		}
	}
	for _, path := range []string{c.workspace, c.dir, c.cache, c.store, c.upstream, c.certificates, c.home, c.logins, sdk.env["GOMODCACHE"], sdk.env["GOCACHE"]} {
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

// environment is the caller's, but for what would lead programs of the root to
// the machine's.
func environment(caller []string) []string {
	env := slices.DeleteFunc(slices.Clone(caller), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{
			"PATH", "LANG", "LANGUAGE", "TMPDIR", "JAVA_HOME", "JAVA_TOOL_OPTIONS", "BASH_ENV", "ENV", "GOROOT", "GOTOOLCHAIN", "PERL5LIB", "PYTHONPATH", "PYTHONHOME",
		}, name) || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "LD_")
	})
	return append(env,
		"PATH="+goRoot+"/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8", "GOROOT="+goRoot, "GOTOOLCHAIN=local",
	)
}
