//go:build e2e

package e2e

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// RKE starts components from the image with a script of its own. The kernel must have
// both backends of iptables.
func TestRKE(t *testing.T) {
	c := unpack(t, "rke:"+version+"-rancher1", machine)

	t.Run("packages", func(t *testing.T) {
		// dpkg finds each package complete, and no file changed.
		c.bash(t, "dpkg --audit; dpkg --verify; dpkg-query --show --showformat '${Package}\n' | grep -x iptables", "iptables")
	})
	t.Run("libraries", func(t *testing.T) { testLibraries(t, c.root, machine) })
	t.Run("links", func(t *testing.T) { testLinks(t, c.root) })
	t.Run("iptables", func(t *testing.T) { testIptablesWrapper(t, c) })
	t.Run("reset", func(t *testing.T) {
		c.bash(t, `iptables --version >&2
update-alternatives --set iptables /usr/sbin/iptables-wrapper >&2
readlink /etc/alternatives/iptables /etc/alternatives/iptables-save`, "/usr/sbin/iptables-wrapper\n/usr/sbin/iptables-wrapper")
	})

	config := base64.StdEncoding.EncodeToString([]byte(`{"auths": {"registry.example": {}}}`))
	host := t.TempDir()
	if err := os.MkdirAll(filepath.Join(host, "usr/lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(host, "usr/lib/os-release"), []byte("ID=flatcar\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	started := c
	started.binds = []string{
		"--ro-bind", filepath.Join(root(t), "e2e/testdata"), "/opt/rke-tools", "--bind", host, "/host", "--dev", "/host/dev",
		"--tmpfs", "/run/a", "--tmpfs", "/run/a/b", "--setenv", "DOCKER_CONFIG", config,
	}
	steps := []string{
		"/usr/sbin/iptables-wrapper", "node node-1", "ID=flatcar", "/etc/cni/bin/loopback", "registry.example",
		"ip_forward 0", "curl", "kmod", "no kubelet",
	}
	for name, more := range map[string][]string{
		"kube-apiserver": nil, "kube-controller-manager": nil, "kube-proxy": nil, "kube-scheduler": nil,
		"kubelet": {"unmounted /run/a/b", "unmounted /run/a", "/dev/null"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := started.run(t, "/opt/rke-tools/rke-entrypoint.sh", name, "--version")
			want := append(append([]string{}, steps...), more...)
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if got := lines[len(lines)-1]; got != "Kubernetes "+version {
				t.Errorf("executed %q", got)
			}
			var got []string
			for _, line := range lines {
				if step, ok := strings.CutPrefix(line, "step: "); ok {
					got = append(got, step)
				}
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got steps %q\nwant      %q", got, want)
			}
		})
	}
	t.Run("jq", func(t *testing.T) {
		c.bash(t, "kubectl version --client -o json | jq -r .clientVersion.gitVersion", version)
	})
	t.Run("rules of kube-proxy", func(t *testing.T) {
		// It deletes its rules by iptables, and no others.
		c.bash(t, `update-alternatives --set iptables /usr/sbin/iptables-wrapper >&2
iptables -t nat -N KUBE-SERVICES
iptables -t nat -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
iptables -t nat -A PREROUTING -j ACCEPT
kube-proxy --cleanup
iptables-save -t nat | grep -e KUBE -e ^-`, "-A PREROUTING -j ACCEPT")
	})
}
