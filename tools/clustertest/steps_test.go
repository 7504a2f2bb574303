//go:build e2e && linux

package clustertest

import (
	"testing"

	"github.com/hyperkube/hyperkube/tools/clustertest/internal/node"
)

// The images must work in the roles that kubeadm and RKE give them.
func TestCluster(t *testing.T) {
	c := newCluster(t)
	c.step("registry and containerd on node1", c.startRegistry)
	c.step("images by hk build", c.build)
	c.step("images to the registry by hk push", c.pushImages)
	c.step("programs on node1 by hyperkube install", c.programs)
	c.step("control plane in hypokube by kubeadm init", c.controlPlane)
	c.step("kube-proxy on node1 in hypokube, by nftables", func() { c.proxyPod("nftables") })
	c.step("Gardener's check in hyperkube", c.gardener)
	c.step("node2 joins from a saved archive, kubelet in rke", c.join)
	c.step("kube-proxy on node2 in rke, by iptables", func() { c.proxyRKE("iptables") })
	c.step("service, exec, logs", c.service)
	c.step("kube-proxy on node1 by iptables, on node2 by nftables", func() {
		c.proxyPod("iptables")
		c.stopRKE("kube-proxy")
		c.proxyRKE("nftables")
	})
	c.step("service again", c.service)
	c.step("job", c.job)
	c.step("upgrade of the kubelet by hyperkube install", c.upgrade)
	c.step("rollback", c.rollback)
	c.step("DaemonSet of docs/install.md", c.daemonSet)
	c.t.Log("\n" + c.kubectl("", "get", "nodes,pods", "-A", "-o", "wide"))
	for _, n := range []*node.Node{c.node1, c.node2} {
		c.t.Logf("memory of %s by program, in KiB:\n%s", n.Name, c.run(n, "ps", "-e", "--sort", "-rss", "-o", "rss=,comm="))
	}
}
