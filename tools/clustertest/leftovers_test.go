//go:build e2e && linux

package clustertest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/clustertest/internal/node"
)

// machine is the state of the machine that a cluster must not change.
func machine(t *testing.T, dir string) map[string]string {
	t.Helper()
	state := map[string]string{}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir) {
			state["mounts"] += line
		}
	}
	interfaces, err1 := net.Interfaces()
	cgroups, err2 := node.Cgroups()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		state["network interfaces"] += i.Name + "\n"
	}
	state["cgroups"] = strings.Join(cgroups, "\n")
	for _, name := range []string{
		"kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys", "vm/overcommit_memory",
		"vm/panic_on_oom", "net/ipv4/ip_forward", "net/netfilter/nf_conntrack_max", "net/bridge/bridge-nf-call-iptables",
	} {
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		state["sysctl "+name] = string(value)
	}
	// Tables of iptables and of nftables in the network namespace of the machine.
	for _, file := range []string{"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"} {
		names, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		state[file] = string(names)
	}
	return state
}

// unchanged compares the state of the machine with an earlier one.
func unchanged(t *testing.T, dir string, before map[string]string) {
	t.Helper()
	for name, after := range machine(t, dir) {
		if after != before[name] {
			t.Errorf("%s of the machine: %q, before the test %q", name, after, before[name])
		}
	}
}

// victim is the environment variable of the process that TestKilled kills.
const victim = "CLUSTERTEST_VICTIM"

// A killed test must leave no process, and the next one must remove its cgroups and
// files.
func TestKilled(t *testing.T) {
	if os.Getenv(victim) != "" {
		c := newCluster(t)
		c.startRegistry()
		c.run(c.node1, "mount", "-t", "tmpfs", "tmpfs", "/mnt")
		fmt.Println(c.dir)
		select {} // until it is killed
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), victim+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dir := strings.TrimSpace(line)
	if err != nil || !filepath.IsAbs(dir) {
		t.Errorf("output %q, %v, want a directory", line, err)
	}
	if cgroups, err := node.Cgroups(); err != nil || len(cgroups) == 0 {
		t.Errorf("cgroups %q, %v, want those of the nodes", cgroups, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if t.Failed() {
		return
	}

	lock(t, dir) // removes cgroups, and fails if they have processes
	if cgroups, err := node.Cgroups(); err != nil || len(cgroups) > 0 {
		t.Errorf("cgroups after a killed test: %q, %v", cgroups, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("directory %s: %v, want none", dir, err)
	}
}
