//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// testIptablesWrapper calls iptables for the first time with different rules in the
// kernel.
func testIptablesWrapper(t *testing.T, c container) {
	const reset = `for v in "" 6; do
	for command in ip${v}tables ip${v}tables-restore ip${v}tables-save; do ln -sfn /usr/sbin/iptables-wrapper /etc/alternatives/$command; done
	database=$(tail -n +2 /var/lib/dpkg/alternatives/ip${v}tables; echo .)
	printf 'auto\n%s' "${database%.}" >/var/lib/dpkg/alternatives/ip${v}tables
done
`
	const status = `
iptables --version | cut -d' ' -f3
readlink /etc/alternatives/{iptables,ip6tables-save}
head -qn 1 /var/lib/dpkg/alternatives/{iptables,ip6tables}`
	for _, test := range []struct{ name, rules, call, want string }{
		{"no rules", "", "iptables-save", "nft"},
		{"kubelet uses nft", "iptables-nft -t mangle -N KUBE-IPTABLES-HINT; iptables-legacy -A INPUT -j ACCEPT", "iptables-save >&2", "nft"},
		{"kubelet uses legacy", "ip6tables-legacy -t mangle -N KUBE-KUBELET-CANARY; iptables-nft -A INPUT -j ACCEPT", "ip6tables -L >&2", "legacy"},
		{"more rules in legacy", "iptables-legacy -A INPUT -j ACCEPT", "iptables -L >&2", "legacy"},
		// The first call reads its input, as later ones do.
		{"restore", "iptables-legacy -A INPUT -j ACCEPT", `echo -e '*filter\n-A OUTPUT -j DROP\nCOMMIT' | iptables-restore; iptables-legacy -S OUTPUT >&2; iptables-legacy -C OUTPUT -j DROP`, "legacy"},
		{"failing call", "", "if iptables -A NONE -j ACCEPT 2>/dev/null; then exit 1; elif [ $? != 1 ]; then exit 2; fi", "nft"},
		{"concurrent calls", "iptables-legacy -A INPUT -j ACCEPT", "for i in {1..20}; do iptables -w -S >/dev/null & done; wait; [ ! -e /etc/alternatives/*tmp* ]", "legacy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			version := map[string]string{"nft": "(nf_tables)", "legacy": "(legacy)"}[test.want]
			want := strings.Join([]string{version, "/usr/sbin/iptables-" + test.want, "/usr/sbin/ip6tables-" + test.want + "-save", "manual", "manual"}, "\n")
			c.bash(t, strings.Join([]string{reset, test.rules, test.call, status}, "\n"), want)
		})
	}
	t.Run("read-only root", func(t *testing.T) {
		c.bash(t, reset+`iptables-legacy -A INPUT -j ACCEPT
mount -o remount,bind,ro /
for i in 1 2; do iptables --version | cut -d' ' -f3; done
readlink /etc/alternatives/iptables`, "(legacy)\n(legacy)\n/usr/sbin/iptables-wrapper")
	})
	t.Run("another name", func(t *testing.T) {
		out, err := c.run(t, "/usr/sbin/iptables-wrapper")
		if err == nil || !strings.Contains(err.Error(), `called as "iptables-wrapper", want iptables, `) {
			t.Errorf("printed %q, %v", out, err)
		}
	})
}
