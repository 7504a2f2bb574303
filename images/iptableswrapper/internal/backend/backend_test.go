package backend

import (
	"slices"
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	const (
		hint   = "*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n"
		canary = "*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n"
		rule   = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n"
	)
	for name, test := range map[string]struct {
		saved map[string]string // by backend and command
		want  Backend
	}{
		"no rules":                 {nil, NFT},
		"hint in nft":              {map[string]string{"nft iptables-save -t mangle": hint, "legacy iptables-save": rule}, NFT},
		"canary in nft, IPv6":      {map[string]string{"nft ip6tables-save -t mangle": canary, "legacy iptables-save": rule}, NFT},
		"canary in legacy":         {map[string]string{"legacy iptables-save": canary, "nft iptables-save": rule}, Legacy},
		"hint in legacy, IPv6":     {map[string]string{"legacy ip6tables-save": hint, "nft iptables-save": rule}, Legacy},
		"chains in both":           {map[string]string{"nft iptables-save -t mangle": hint, "legacy iptables-save": hint}, NFT},
		"more rules in legacy":     {map[string]string{"legacy iptables-save": rule + rule, "nft iptables-save": rule}, Legacy},
		"more rules in nft":        {map[string]string{"legacy iptables-save": rule, "nft iptables-save": rule, "nft ip6tables-save": rule}, NFT},
		"as many rules":            {map[string]string{"legacy ip6tables-save": rule, "nft iptables-save": rule}, NFT},
		"rules of both versions":   {map[string]string{"legacy iptables-save": rule, "legacy ip6tables-save": rule, "nft iptables-save": rule}, Legacy},
		"chain of a similar name":  {map[string]string{"legacy iptables-save": ":KUBE-IPTABLES-HINTS - [0:0]\n"}, NFT},
		"policies are not counted": {map[string]string{"legacy iptables-save": ":INPUT ACCEPT [0:0]\n# -A\n"}, NFT},
	} {
		t.Run(name, func(t *testing.T) {
			got := Detect(func(b Backend, command string, args ...string) Rules {
				return read(strings.NewReader(test.saved[strings.Join(slices.Concat([]string{string(b), command}, args), " ")]))
			})
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// The rest of a line that does not fit into the buffer is not another line.
func TestReadLongLines(t *testing.T) {
	line := "-A INPUT -m comment --comment " + strings.Repeat("-", 10_000) + "\n"
	if got := read(strings.NewReader(line + line)); got.Count != 2 {
		t.Errorf("got %d rules, want 2", got.Count)
	}
}
