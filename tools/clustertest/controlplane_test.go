//go:build e2e && linux

package clustertest

import (
	"regexp"
	"strings"

	"github.com/hyperkube/hyperkube/tools/clustertest/internal/node"
)

// startRegistry starts a registry and containerd on the first node.
func (c *cluster) startRegistry() {
	c.write(c.node1, "/etc/docker/registry/config.yml", c.file("registry.yaml"))
	c.write(c.node1, "/etc/containerd/certs.d/registry.example/hosts.toml", c.file("hosts.toml"))
	c.daemon(c.node1, "registry", "docker-registry", "serve", "/etc/docker/registry/config.yml")
	c.daemon(c.node1, "containerd", "containerd")
	c.wait("the registry", func() error {
		_, err := c.node1.Run(c.ctx, "curl", "-sf", "http://localhost:5000/v2/")
		return err
	})
}

func (c *cluster) pushImages() {
	c.push(hyper, "hyperkube")
	c.push(rke, "rke")
	c.push(hypokube, "hypokube", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
}

// programs installs programs from images of the registry.
func (c *cluster) programs() {
	c.run(c.node1, "ctr", "-n", "k8s.io", "image", "pull", "--hosts-dir", "/etc/containerd/certs.d", registry+hypokube)
	c.install(c.node1, hypokube, "hyperkube", "kubeadm", "kubectl")
	var old string
	old, c.oldVersion = c.oldKubelet()
	c.run(c.node1, "hyperkube", "install", "--to", "/opt/k8s", "kubelet="+old)
	// kubeadm pulls a pause image. /sleep serves as one.
	for image := range strings.Lines(c.run(c.node1, "kubeadm", "config", "images", "list", "--kubernetes-version", version)) {
		if _, tag, ok := strings.Cut(strings.TrimSpace(image), "/pause:"); ok {
			c.output(c.node1.InNetwork(c.ctx, c.hk, "push", hyper, "--layout", c.layout(hyper), "--repository", "localhost:5000/pause", "--tag", tag))
		}
	}
}

// install installs programs from an image that containerd has, as docs/install.md
// does.
func (c *cluster) install(n *node.Node, image string, programs ...string) string {
	c.t.Helper()
	c.run(n, "mkdir", "-p", "/opt/k8s")
	return c.run(n, append([]string{
		"ctr", "-n", "k8s.io", "run", "--rm", "--mount", "type=bind,src=/opt/k8s,dst=/host,options=rbind:rw",
		registry + image, "install", "/hyperkube", "install", "--to", "/host",
	}, programs...)...)
}

// controlPlane starts a control plane of static pods.
func (c *cluster) controlPlane() {
	c.daemon(c.node1, "etcd", "etcd", "--data-dir", "/var/lib/etcd", "--unsafe-no-fsync", "--log-level", "warn")
	c.write(c.node1, "/usr/local/sbin/run-kubelet", c.file("kubelet.sh"))
	c.daemon(c.node1, "kubelet", "sh", "/usr/local/sbin/run-kubelet")
	c.write(c.node1, "/etc/kubeadm.yaml", c.file("kubeadm-init.yaml", "TOKEN", token, "ADDRESS", address1))
	out := c.run(c.node1, "kubeadm", "init", "--config", "/etc/kubeadm.yaml")
	c.caHash = regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(out)
}

const token = "abcdef.0123456789abcdef"

// gardener runs a pod without privileges that reaches the API server by its
// service.
func (c *cluster) gardener() {
	c.kubectl(c.file("gardener.yaml"), "apply", "-f", "-")
	c.finished("pod/gardener")
	if out := c.kubectl("", "logs", "gardener"); !strings.Contains(out, "ClusterIP   10.96.0.1 ") {
		c.t.Errorf("kubectl printed %q", out)
	}
}
