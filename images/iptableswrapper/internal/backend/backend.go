// Package backend finds out which backend of iptables has the rules of a network
// namespace.
package backend

import "os/exec"

// Backend is an implementation of iptables.
type Backend string

// The backends.
const (
	NFT    Backend = "nft"    // iptables rules in nftables
	Legacy Backend = "legacy" // the kernel's own iptables
)

// Program returns the path of the program with all commands of the backend. It
// executes the command that it is called by.
func (b Backend) Program() string { return "/usr/sbin/xtables-" + string(b) + "-multi" }

// Saver runs a command of a backend that prints rules, such as iptables-save.
type Saver func(b Backend, command string, args ...string) Rules

// Detect returns the backend with the chains that kubelet creates, or else the one
// with more rules. Without a difference it is NFT.
//
// It follows github.com/kubernetes-sigs/iptables-wrappers, version 2. Version 3 does
// not count rules, because kubelet creates the chains since Kubernetes 1.17.
func Detect(save Saver) Backend {
	// Few rules are in the table of the chains, and most hosts use nft.
	if both(save, NFT, "-t", "mangle").Kubelet {
		return NFT
	}
	// With -t, the legacy commands would create the table.
	legacy := both(save, Legacy)
	switch {
	case legacy.Kubelet:
		return Legacy
	case legacy.Count > 0 && legacy.Count > both(save, NFT).Count:
		return Legacy
	}
	return NFT
}

// both returns the rules of both IP versions.
func both(save Saver, b Backend, args ...string) Rules {
	v4, v6 := save(b, "iptables-save", args...), save(b, "ip6tables-save", args...)
	return Rules{Kubelet: v4.Kubelet || v6.Kubelet, Count: v4.Count + v6.Count}
}

// Save is a [Saver]. An error counts as no further rules: the kernel may lack the
// backend.
func Save(b Backend, command string, args ...string) Rules {
	cmd := exec.Command(b.Program(), append([]string{command}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return Rules{}
	}
	rules := read(out)
	_ = cmd.Wait()
	return rules
}
