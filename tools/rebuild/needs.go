package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/kubetree"
	"github.com/hyperkube/hyperkube/versions"
	"golang.org/x/sys/unix"
)

// What a version's builds take at most, measured, with a margin: the modules
// and the tree 1.5 GiB, a toolchain 0.3, a Debian root 1, build caches for two
// architectures 4; a linker 1.6 GiB of memory.
const (
	needDisk   = 8 << 30
	needMemory = 2 << 30
)

// needWarm is enough where a version was built before.
const needWarm = 2 << 30

// checkNeeds says what the work needs before it begins, and refuses where that
// is not there.
func (r *rebuilder) checkNeeds(version versions.Version) error {
	if err := os.MkdirAll(r.config.cache, 0o755); err != nil {
		return fmt.Errorf("making the folder of rebuilds: %w", err)
	}
	disk := int64(needDisk)
	if _, err := os.Stat(kubetree.Dir(kubetree.Trees(r.config.cache), version.String())); err == nil {
		disk = needWarm
	}
	r.report.Say("rebuilding %s in %s: needs up to %d GiB of disk and %d GiB of memory", version, r.config.cache, disk>>30, needMemory>>30)
	var st unix.Statfs_t
	if err := unix.Statfs(r.config.cache, &st); err != nil {
		return fmt.Errorf("asking for free disk space in %q: %w", r.config.cache, err)
	}
	if free := int64(st.Bavail) * st.Bsize; free < disk {
		return fmt.Errorf("disk too full: %q has %d MiB free, want %d MiB; make room or set HYPERKUBE_CACHE to a folder on another disk",
			r.config.cache, free>>20, disk>>20)
	}
	if free, ok := freeMemory("/proc/meminfo"); ok && free < needMemory {
		return fmt.Errorf("too little memory: %d MiB available, want %d MiB", free>>20, int64(needMemory)>>20)
	}
	return nil
}

// freeMemory is what programs can get without swapping.
func freeMemory(meminfo string) (int64, bool) {
	f, err := os.Open(meminfo)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemAvailable:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return kib << 10, err == nil
		}
	}
	return 0, false
}
