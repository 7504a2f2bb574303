//go:build e2e && linux

package clustertest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/hyperkube/hyperkube/tools/clustertest/internal/node"
	"github.com/hyperkube/hyperkube/versions"
)

// oldVersion is the version of the kubelet before the upgrade.
const oldVersion = "v1.35.4"

// oldKubelet writes the old kubelet to a file of the first node, and returns its
// path and version. If the store has only one version, the old kubelet is that
// with another byte at the end.
func (c *cluster) oldKubelet() (path, v string) {
	c.t.Helper()
	path, v = "/opt/old/kubelet", oldVersion
	cmd := exec.CommandContext(c.ctx, c.hk, "fetch", "kubernetes/"+oldVersion+"/linux/"+runtime.GOARCH+"/kubelet")
	cmd.Env = append(os.Environ(), "HYPERKUBE_UPSTREAM=off", "HYPERKUBE_REBUILD=0")
	out, err := cmd.Output()
	if err != nil {
		v = version
		out = []byte(c.host(c.hk, "fetch", kubelet))
	}
	file, err2 := os.Open(strings.TrimSpace(string(out)))
	if err2 != nil {
		c.t.Fatal(err2)
	}
	defer file.Close()
	c.writeFrom(c.node1, path, file)
	if err != nil {
		c.run(c.node1, "sh", "-c", "echo >>"+path)
		c.t.Logf("the store has no kubelet %s: the old kubelet is %s with another byte", oldVersion, version)
	}
	return path, v
}

const kubelet = "kubernetes/" + version + "/linux/" + runtime.GOARCH + "/kubelet"

// upgrade upgrades the kubelet of the first node from an image of the registry, and
// restarts it, while a pod runs.
func (c *cluster) upgrade() {
	c.kubeletOf(c.node1, c.oldVersion)
	before := c.webPod()
	c.changes("kubelet=image:localhost:5000/" + hyper + "!/kubelet#sha256=" + c.pin(kubelet))
	c.restartKubelet(version)
	if after := c.webPod(); after != before {
		c.t.Errorf("the container was %q, and is %q after the upgrade of the kubelet", before, after)
	}
}

// rollback returns to the previous kubelet.
func (c *cluster) rollback() {
	before := c.webPod()
	c.changes("rollback")
	c.restartKubelet(c.oldVersion)
	if after := c.webPod(); after != before {
		c.t.Errorf("the container was %q, and is %q after the rollback of the kubelet", before, after)
	}
}

// changes runs hyperkube install on the first node, which must report that the
// kubelet has changed.
func (c *cluster) changes(arg string) {
	c.t.Helper()
	args := []string{"hyperkube", "install", "--to", "/opt/k8s", "--changed", "kubelet", arg}
	if arg == "rollback" {
		args = []string{"hyperkube", "install", "rollback", "--to", "/opt/k8s", "--changed", "kubelet"}
	}
	_, err := c.node1.Run(c.ctx, args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 4 {
		c.t.Fatalf("%q: %v, want exit code 4", args, err)
	}
}

// restartKubelet restarts the kubelet of the first node, and waits until it has
// reported its version. The API server may restart, too, because another version of
// the kubelet computes other pods from the same manifests.
func (c *cluster) restartKubelet(v string) {
	c.t.Helper()
	c.run(c.node1, "pkill", "-x", "kubelet")
	c.wait("the kubelet of node1", func() error {
		_, err := c.node1.Run(c.ctx, "curl", "-sf", "http://127.0.0.1:10248/healthz")
		return err
	})
	c.kubeletOf(c.node1, v)
}

// kubeletOf waits until a node reports a version of its kubelet.
func (c *cluster) kubeletOf(n *node.Node, v string) {
	c.t.Helper()
	c.wait("kubelet "+v+" on "+n.Name, func() error {
		got, err := c.node1.Run(c.ctx, "kubectl", "get", "node", n.Name, "-o", "jsonpath={.status.nodeInfo.kubeletVersion}")
		if err == nil && got != v {
			err = fmt.Errorf("the node reports %q", got)
		}
		return err
	})
}

// webPod returns the container of the web server on the first node and the number of
// its restarts.
func (c *cluster) webPod() string {
	c.t.Helper()
	return c.kubectl("", "get", "pods", "-l", "app=web", "--field-selector", "spec.nodeName=node1", "-o",
		"jsonpath={range .items[*].status.containerStatuses[*]}{.containerID} {.restartCount} {.state.running.startedAt}{end}")
}

// pin returns the SHA-256 of a pinned file.
func (c *cluster) pin(key string) string {
	c.t.Helper()
	catalog, err := versions.Load()
	if err != nil {
		c.t.Fatal(err)
	}
	k, err := versions.ParseFileKey(key)
	if err != nil {
		c.t.Fatal(err)
	}
	p, ok := catalog.Lock.Pin(k)
	if !ok {
		c.t.Fatalf("%s is not pinned", key)
	}
	return p.SHA256.String()
}

// daemonSet applies the DaemonSet of the documentation as it is printed. It installs
// on both nodes.
func (c *cluster) daemonSet() {
	c.run(c.node2, "rm", "-r", "/opt/k8s")
	c.kubectl(c.document(), "apply", "-f", "-")
	c.kubectl("", "-n", "kube-system", "rollout", "status", "daemonset/node-programs", "--timeout=2m")
	for _, n := range []*node.Node{c.node1, c.node2} {
		for _, program := range []string{"kubelet", "kubectl"} {
			want := c.pin("kubernetes/" + version + "/linux/" + runtime.GOARCH + "/" + program)
			if got := c.run(n, "sha256sum", "/opt/k8s/"+program); !strings.HasPrefix(got, want+" ") {
				c.t.Errorf("%s of %s: got %s, want %s", program, n.Name, got, want)
			}
		}
	}
	c.restartKubelet(version)
	list := c.run(c.node1, "hyperkube", "install", "list", "--to", "/opt/k8s")
	c.t.Log("\n" + list)
	if !regexp.MustCompile(`(?m)^current .* kubelet .* registry\.example/` + rke + `$`).MatchString(list) {
		c.t.Errorf("hyperkube install list does not print the source of kubelet")
	}
	lock, err := os.Open(filepath.Join(c.repository, "versions", "lock.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer lock.Close()
	c.writeFrom(c.node1, "/root/lock.json", lock)
	verified := c.run(c.node1, "hyperkube", "install", "verify", "--to", "/opt/k8s", "--lock", "/root/lock.json")
	if !regexp.MustCompile(`(?m)^current +kubelet +ok +` + version + ` +yes `).MatchString(verified) {
		c.t.Errorf("hyperkube install verify printed %s", verified)
	}
}

// document returns the DaemonSet in docs/install.md.
func (c *cluster) document() string {
	c.t.Helper()
	raw, err := os.ReadFile(filepath.Join(c.repository, "docs", "install.md"))
	if err != nil {
		c.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(raw), "\n## With a DaemonSet\n")
	_, after, _ = strings.Cut(after, "```yaml\n")
	manifest, _, found := strings.Cut(after, "```\n")
	if !found || !strings.Contains(manifest, "kind: DaemonSet") {
		c.t.Fatal("docs/install.md has no DaemonSet")
	}
	return manifest
}
