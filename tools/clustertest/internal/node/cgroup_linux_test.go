package node

import (
	"slices"
	"testing"
)

func TestParseHierarchies(t *testing.T) {
	const v1 = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/systemd/agent,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
42 31 0:32 / /other/memory rw,relatime - cgroup cgroup rw,memory
`
	const v2 = `31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
`
	for name, test := range map[string]struct {
		mounts, own string
		want        []hierarchy
	}{
		"version 1": {v1, "9:name=systemd:/a\n4:memory:/no/such/cgroup\n1:cpu,cpuacct:/\n0::/\n", []hierarchy{
			{"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "cpu,cpuacct"},
			{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory", "cgroup", "memory"},
			{"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd", "cgroup", "none,name=systemd"},
			{"/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified", "cgroup2", ""},
		}},
		"version 2": {v2, "0::/user.slice/session.scope\n", []hierarchy{{"/sys/fs/cgroup", "/sys/fs/cgroup", "cgroup2", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseHierarchies(test.mounts, test.own); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
