//go:build e2e && linux

package clustertest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hyperkube/hyperkube/tools/clustertest/internal/node"
)

// proxyPod sets the mode of the kube-proxy that kubeadm has set up, and waits for it.
// It runs on the first node only; the second one has another.
func (c *cluster) proxyPod(mode string) {
	const name, namespace = "kube-proxy", "--namespace=kube-system"
	config := c.kubectl("", namespace, "get", "configmap", name, "-o", "yaml")
	c.kubectl(modeLine.ReplaceAllString(config, "${1}mode: "+mode), "apply", "-f", "-")
	c.kubectl("", namespace, "patch", "daemonset", name, "-p", `{"spec": {"template": {
		"metadata": {"annotations": {"mode": "`+mode+`"}},
		"spec": {"nodeSelector": {"kubernetes.io/hostname": "node1"}}
	}}}`)
	c.kubectl("", namespace, "rollout", "status", "daemonset", name, "--timeout=2m")
	c.serves(c.node1, mode)
}

var modeLine = regexp.MustCompile(`(?m)^( *)mode: .*$`)

// serves waits until kube-proxy has written rules for services, in one mode and in
// no other.
func (c *cluster) serves(n *node.Node, mode string) {
	c.t.Helper()
	c.wait(mode+" on "+n.Name, func() error {
		nft, err1 := n.Run(c.ctx, "nft", "list", "tables")
		rules, err2 := n.Run(c.ctx, "sh", "-c", "iptables-nft-save -t nat; iptables-legacy-save -t nat")
		modes := map[string]bool{
			"nftables": strings.Contains(nft, "table ip kube-proxy"), "iptables": strings.Contains(rules, "-A KUBE-SERVICES "),
		}
		for other, active := range modes {
			if active != (other == mode) {
				return errors.Join(fmt.Errorf("modes %v", modes), err1, err2)
			}
		}
		return nil
	})
}

// finished waits for the end of a pod.
func (c *cluster) finished(pod string) {
	c.t.Helper()
	c.wait(pod, func() error {
		phase := c.kubectl("", "get", pod, "-o", "jsonpath={.status.phase}")
		switch phase {
		case "Succeeded":
			return nil
		case "Failed":
			c.t.Fatalf("%s failed: %s", pod, c.kubectl("", "logs", pod))
		}
		return fmt.Errorf("phase %s", phase)
	})
}

// service calls a service from both nodes, until pods on both have answered.
func (c *cluster) service() {
	c.kubectl(c.file("web.yaml"), "apply", "-f", "-")
	c.kubectl("", "rollout", "status", "daemonset/web", "--timeout=2m")
	pods := strings.Fields(c.kubectl("", "get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}"))
	if len(pods) != 2 {
		c.t.Fatalf("pods %q, want 2", pods)
	}
	for _, pod := range pods {
		if out := c.kubectl("", "logs", pod); !strings.HasPrefix(out, "serving on node") {
			c.t.Errorf("log of pod %s: %q", pod, out)
		}
		answers := map[string]int{}
		c.wait("answers to pod "+pod, func() error {
			out, err := c.node1.Run(c.ctx, "kubectl", "exec", pod, "--", "curl", "-sS", "--max-time", "2", "http://10.96.0.80/")
			answers[strings.TrimSpace(out)]++
			if answers["node1"] == 0 || answers["node2"] == 0 {
				return fmt.Errorf("answers %v, %v", answers, err)
			}
			return nil
		})
		if len(answers) != 2 {
			c.t.Errorf("answers to pod %s: %v, want those of node1 and node2", pod, answers)
		}
	}
}

func (c *cluster) job() {
	c.kubectl(c.file("job.yaml"), "apply", "-f", "-")
	c.kubectl("", "wait", "--for=condition=complete", "job/version", "--timeout=2m")
	if out := c.kubectl("", "logs", "job/version"); out != version+"\n" {
		c.t.Errorf("the job printed %q, want %s", out, version)
	}
}
