//go:build e2e && linux

package clustertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/clustertest/internal/node"
	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

const (
	version  = "v1.36.0"
	hypokube = "hypokube:" + version
	hyper    = "hyperkube:" + version
	rke      = "rke:" + version + "-rancher1"

	// registry is the one that documents and manifests name.
	registry = "registry.example/"
)

// timeout bounds the test, but for downloads of Debian packages. With all files in
// the store, the test takes 4 minutes at most on two idle cores.
const timeout = 15 * time.Minute

// spec is the Debian system of the nodes.
var spec = debian.Spec{Suite: "forky", Packages: []string{
	"conntrack", "containerd", "containernetworking-plugins", "curl", "docker-registry", "etcd-server", "iproute2", "iptables", "kmod",
	"mount", "nftables", "procps", "runc", "socat", "tini",
}}

// cluster is a cluster of two nodes.
type cluster struct {
	t            *testing.T
	ctx          context.Context
	started      time.Time
	cache        string // directory that is kept for the next run
	dir          string // directory of this run
	repository   string // root of this repository
	hk           string // program
	oldVersion   string // of the first kubelet on the first node
	caHash       string // by which a node recognizes the cluster
	node1, node2 *node.Node
}

// newCluster starts two nodes with a network between them. They end with the test.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("the test needs root. Fix: run .ci/test-e2e as root")
	}
	cache, err := cachedir.Dir(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	lower, err := debian.Ensure(t.Context(), debian.Config{
		Dir: filepath.Join(cache, "roots"), Log: os.Stderr, Progress: progress.New(os.Stderr, os.Getenv), Getenv: os.Getenv,
	}, spec)
	if err != nil {
		t.Fatal(err)
	}
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, cache: filepath.Join(cache, "clustertest"), repository: repository}
	c.dir = filepath.Join(c.cache, "run")
	c.hk = filepath.Join(c.dir, "hk")
	lock(t, c.dir)
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	c.ctx, c.started = ctx, time.Now()
	c.host("go", "build", "-o", c.hk, "./tools/hk")
	c.node1 = c.start("node1", lower)
	c.node2 = c.start("node2", lower)
	c.connect()
	return c
}

// lock waits for other tests on the machine, and removes what a killed one has left.
// At the end it checks that nothing is left on the machine.
func lock(t *testing.T, dir string) {
	t.Helper()
	lock, err := lockfile.AcquireDir(t.Context(), "/sys/fs/cgroup", lockfile.Wait{Notify: func(holder string) {
		t.Logf("waiting for %s, which tests a cluster", holder)
	}})
	if err != nil {
		t.Fatal(err)
	}
	remove := func() {
		if err := errors.Join(node.RemoveCgroups(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	}
	remove()
	before := machine(t, dir)
	t.Cleanup(func() {
		remove()
		unchanged(t, dir, before)
		lock.Close()
	})
}

func (c *cluster) start(name string, lower *debian.Root) *node.Node {
	c.t.Helper()
	n, err := node.Start(name, lower.Dir(), filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Log(n.Logs(30))
		}
		n.Stop()
	})
	return n
}

// Addresses of the nodes, and of their pods. The controller manager gives the
// subnets to nodes in the order in which they join.
const (
	address1, pods1 = "192.168.55.1", "10.244.0.0/24"
	address2, pods2 = "192.168.55.2", "10.244.1.0/24"
)

// connect connects the network interfaces of the two nodes. kubeadm needs a default
// route.
func (c *cluster) connect() {
	c.t.Helper()
	c.output(c.node1.InNetwork(c.ctx, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", c.node2.PID()))
	for _, s := range []struct {
		n                        *node.Node
		address, pods, peer, via string
	}{{c.node1, address1, pods1, pods2, address2}, {c.node2, address2, pods2, pods1, address1}} {
		c.run(s.n, "sh", "-ec", fmt.Sprintf(`
			ip link set lo up
			ip link set eth0 up
			ip address add %s/24 dev eth0
			ip route add %s via %s
			ip route add default via %[3]s
			echo 1 >/proc/sys/net/ipv4/ip_forward`, s.address, s.peer, s.via))
		c.write(s.n, "/etc/hosts", fmt.Sprintf("127.0.0.1 localhost\n%s node1\n%s node2\n", address1, address2))
		c.write(s.n, "/etc/resolv.conf", "nameserver 127.0.0.1\n")
		c.write(s.n, "/etc/cni/net.d/pods.conflist", c.file("cni.conflist", "POD_SUBNET", s.pods))
		c.write(s.n, "/etc/containerd/config.toml", c.file("containerd.toml"))
	}
}
