//go:build e2e && linux

package clustertest

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// join joins the second node, which has no registry. Its images come from one saved
// archive, and its programs from these images.
func (c *cluster) join() {
	archive := filepath.Join(c.dir, "images.tar")
	args := []string{c.hk, "save", "-o", archive, "--platform", "linux/" + runtime.GOARCH}
	for _, image := range []string{hyper, rke, hypokube} {
		args = append(args, registry+image+"="+c.layout(image))
	}
	c.host(args...)
	c.daemon(c.node2, "containerd", "containerd")
	c.wait("containerd on node2", func() error {
		_, err := c.node2.Run(c.ctx, "ctr", "version")
		return err
	})
	file, err := os.Open(archive)
	if err != nil {
		c.t.Fatal(err)
	}
	defer file.Close()
	load := c.node2.Command(c.ctx, "ctr", "-n", "k8s.io", "image", "import", "-")
	load.Stdin = file
	c.output(load)
	c.install(c.node2, hypokube, "kubeadm", "kubelet", "kubectl") // kubeadm asks the kubelet for its version
	// The script of RKE is in a volume.
	script, err := os.Open(filepath.Join(c.repository, "e2e", "testdata", "rke-entrypoint.sh"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer script.Close()
	c.writeFrom(c.node2, "/opt/rke-tools/entrypoint.sh", script)
	c.run(c.node2, "chmod", "+x", "/opt/rke-tools/entrypoint.sh")
	c.run(c.node2, "mkdir", "-p", "/etc/kubernetes", "/var/lib/cni", "/var/log/containers", "/var/log/pods", "/opt/cni", "/lib/modules")
	c.write(c.node2, "/etc/kubeadm.yaml", c.file("kubeadm-join.yaml", "ADDRESS", address1, "TOKEN", token, "CA_HASH", c.caHash))

	joined := make(chan error, 1)
	cmd := c.node2.Command(c.ctx, "kubeadm", "join", "--config", "/etc/kubeadm.yaml")
	log, err := os.Create(filepath.Join(c.dir, "node2", "log", "kubeadm"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	go func() { joined <- cmd.Run() }()
	c.wait("the configuration of the kubelet on node2", func() error {
		select {
		case err := <-joined:
			c.t.Fatalf("kubeadm join: %v", err)
		default:
		}
		_, err := c.node2.Run(c.ctx, "test", "-e", "/var/lib/kubelet/kubeadm-flags.env")
		return err
	})
	c.startRKE("kubelet", []string{
		"/etc:/host/etc:ro", "/etc/cni:/etc/cni:rw", "/etc/kubernetes:/etc/kubernetes:rw", "/etc/resolv.conf:/etc/resolv.conf:rw",
		"/dev:/host/dev:rprivate", "/opt/cni:/opt/cni:rw", "/run:/run:rprivate", "/sys:/sys:rprivate",
		"/var/lib/cni:/var/lib/cni:rw", "/var/lib/containerd:/var/lib/containerd:rslave", "/var/lib/kubelet:/var/lib/kubelet:rshared",
		"/var/log/containers:/var/log/containers:rw", "/var/log/pods:/var/log/pods:rw",
	}, "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf", "--kubeconfig=/etc/kubernetes/kubelet.conf",
		"--config=/var/lib/kubelet/config.yaml", "--hostname-override=node2")
	if err := <-joined; err != nil {
		c.t.Fatalf("kubeadm join: %v", err)
	}
}

// startRKE starts a component in the image rke on the second node, as RKE does: by
// its entrypoint script, in a privileged container with the network and the
// processes of the host. A mount is SOURCE:DESTINATION:OPTION.
func (c *cluster) startRKE(component string, mounts []string, args ...string) {
	c.t.Helper()
	run := []string{
		"ctr", "-n", "k8s.io", "run", "--detach", "--privileged", "--net-host", "--with-ns", "pid:/proc/1/ns/pid",
		"--rootfs-propagation", "shared", "--env", "DOCKER_CONFIG=" + base64.StdEncoding.EncodeToString([]byte(`{"auths": {}}`)), "--log-uri", "file:///var/log/" + component + ".log",
	}
	// A new /proc would have the sysctls of the machine.
	for _, mount := range append(mounts, "/opt/rke-tools:/opt/rke-tools:ro", "/proc:/proc:rw", "/usr:/host/usr:ro") {
		f := strings.Split(mount, ":")
		run = append(run, "--mount", "type=bind,src="+f[0]+",dst="+f[1]+",options=rbind:"+f[2])
	}
	run = append(run, registry+rke, component, "/opt/rke-tools/entrypoint.sh", component)
	c.run(c.node2, append(run, args...)...)
}

// proxyRKE starts kube-proxy in the image rke on the second node, in a mode.
func (c *cluster) proxyRKE(mode string) {
	config := c.kubectl("", "-n", "kube-system", "get", "configmap", "kube-proxy", "-o", `jsonpath={.data.config\.conf}`)
	config = modeLine.ReplaceAllString(config, "mode: "+mode)
	config = strings.ReplaceAll(config, "/var/lib/kube-proxy/kubeconfig.conf", "/etc/kubernetes/kube-proxy.conf")
	c.write(c.node2, "/etc/kubernetes/kube-proxy.yaml", config)
	c.write(c.node2, "/etc/kubernetes/kube-proxy.conf", c.run(c.node1, "kubeadm", "kubeconfig", "user",
		"--config", "/etc/kubeadm.yaml", "--client-name", "system:kube-proxy"))
	c.startRKE("kube-proxy", []string{"/etc/kubernetes:/etc/kubernetes:rw", "/lib/modules:/lib/modules:ro", "/run:/run:rprivate"},
		"--config=/etc/kubernetes/kube-proxy.yaml")
	c.serves(c.node2, mode)
}

// stopRKE stops a component in the image rke and removes its container.
func (c *cluster) stopRKE(component string) {
	c.t.Helper()
	c.run(c.node2, "ctr", "-n", "k8s.io", "task", "kill", component)
	c.wait("the end of "+component, func() error {
		_, err := c.node2.Run(c.ctx, "ctr", "-n", "k8s.io", "task", "delete", component)
		return err
	})
	c.run(c.node2, "ctr", "-n", "k8s.io", "container", "delete", component)
}
