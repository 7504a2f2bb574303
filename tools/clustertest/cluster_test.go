//go:build e2e && linux

package clustertest

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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

// timeout bounds the test, but for downloads of Debian packages.
const timeout = 4 * time.Minute

// spec is the Debian system of the nodes.
var spec = debian.Spec{Suite: "forky", Packages: []string{
	"conntrack", "containerd", "containernetworking-plugins", "curl", "docker-registry", "etcd-server", "iproute2", "iptables", "kmod",
	"mount", "nftables", "procps", "runc", "socat", "tini",
}}

//go:embed testdata
var testdata embed.FS

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
// At the end it checks that nothing else is left on the machine.
func lock(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := lockfile.Acquire(t.Context(), filepath.Join(filepath.Dir(dir), "lock"), lockfile.Wait{Notify: func(holder string) {
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
	namespaces, err := n.Namespaces()
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Log(n.Logs(30))
		}
		n.Stop()
		ended(c.t, namespaces)
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

// file returns a file of testdata with variables expanded. The list has names and
// values.
func (c *cluster) file(name string, variables ...string) string {
	c.t.Helper()
	raw, err := testdata.ReadFile("testdata/" + name)
	if err != nil {
		c.t.Fatal(err)
	}
	list := []string{"${VERSION}", version, "${RKE}", rke}
	for i := 0; i < len(variables); i += 2 {
		list = append(list, "${"+variables[i]+"}", variables[i+1])
	}
	return strings.NewReplacer(list...).Replace(string(raw))
}

func (c *cluster) write(n *node.Node, path, content string) {
	c.t.Helper()
	c.writeFrom(n, path, strings.NewReader(content))
}

func (c *cluster) writeFrom(n *node.Node, path string, content io.Reader) {
	c.t.Helper()
	if err := n.Write(c.ctx, path, content); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) daemon(n *node.Node, log string, args ...string) {
	c.t.Helper()
	if err := n.Daemon(log, args...); err != nil {
		c.t.Fatal(err)
	}
}

// run runs a program in a node and returns its output.
func (c *cluster) run(n *node.Node, args ...string) string {
	c.t.Helper()
	return c.output(n.Command(c.ctx, args...))
}

// host runs a program on the machine, in the root of the repository.
func (c *cluster) host(args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.ctx, args[0], args[1:]...)
	cmd.Dir = c.repository
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c.output(cmd)
}

// kubectl runs kubectl on the first node, with the content of a file as input.
func (c *cluster) kubectl(input string, args ...string) string {
	c.t.Helper()
	cmd := c.node1.Command(c.ctx, append([]string{"kubectl"}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	return c.output(cmd)
}

func (c *cluster) output(cmd *exec.Cmd) string {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%q: %v\n%s%s", cmd.Args, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// wait waits until a condition is true.
func (c *cluster) wait(what string, ready func() error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	for {
		err := ready()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("waiting for %s: %v: %v", what, ctx.Err(), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// step prints the time of an action, and the memory of the nodes after it.
func (c *cluster) step(name string, action func()) {
	c.t.Helper()
	start := time.Now()
	c.t.Logf("%5.1fs  %s", start.Sub(c.started).Seconds(), name)
	action()
	c.t.Logf("%5.1fs  done in %.1fs; memory of node1 %d MB, of node2 %d MB", time.Since(c.started).Seconds(), time.Since(start).Seconds(),
		memory(c.t, c.node1), memory(c.t, c.node2))
}

// memory returns the resident memory of a node's processes in MB.
func memory(t *testing.T, n *node.Node) int {
	t.Helper()
	out, err := n.Run(t.Context(), "ps", "-e", "-o", "rss=")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, field := range strings.Fields(out) {
		var kib int
		fmt.Sscan(field, &kib)
		total += kib
	}
	return total / 1000
}
