//go:build e2e && linux

package clustertest

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/clustertest/internal/node"
)

//go:embed testdata
var testdata embed.FS

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
	out, err := n.Run(c.ctx, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// host runs a program on the machine, in the root of the repository.
func (c *cluster) host(args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.ctx, args[0], args[1:]...)
	cmd.Dir = c.repository
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c.output(cmd)
}

// kubectl runs kubectl on the first node, with the content of a file as input. It
// retries: the API server restarts with a kubelet of another version.
func (c *cluster) kubectl(input string, args ...string) (out string) {
	c.t.Helper()
	c.wait("kubectl", func() (err error) {
		cmd := c.node1.Command(c.ctx, append([]string{"kubectl"}, args...)...)
		cmd.Stdin = strings.NewReader(input)
		out, err = node.Output(cmd, strings.Join(args, " "))
		return err
	})
	return out
}

// output runs a command and returns its output.
func (c *cluster) output(cmd *exec.Cmd) string {
	c.t.Helper()
	out, err := node.Output(cmd, strings.Join(cmd.Args, " "))
	if err != nil {
		c.t.Fatal(err)
	}
	return out
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
