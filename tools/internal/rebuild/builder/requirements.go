package builder

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/diskspace"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
)

// Requirements of the builds of one version, measured, with a margin: modules
// and tree take 1.5 GiB, a toolchain 0.3, build caches for two architectures 4,
// a Debian root 1; a linker takes 1.6 GiB of memory.
const (
	needSources = 2 << 30
	needCaches  = 6 << 30
	needDisk    = needSources + needCaches
	needMemory  = 2 << 30
)

// checkRequirements prints the requirements of a version and returns an error if
// the machine does not meet them.
func (c Config) checkRequirements(version string) error {
	if err := os.MkdirAll(c.Dir(), 0o755); err != nil {
		return fmt.Errorf("creating the cache of rebuilds: %w", err)
	}
	disk := int64(needDisk)
	if _, err := os.Stat(sourcetree.Dir(sourcetree.Trees(c.Dir()), version)); err == nil {
		disk = needSources // checkCacheSpace adds caches, once their names are known
	}
	memory := int64(needMemory + max(0, c.Parallel-2)<<30)
	c.Progress.Logf("rebuilding %s in %s: needs up to %d GiB of disk and %d GiB of memory", version, c.Dir(), disk>>30, memory>>30)
	if free, ok := availableMemory("/proc/meminfo"); ok && free < memory {
		return fmt.Errorf("not enough memory: want %d MiB, got %d MiB; stop other programs or lower --parallel", memory>>20, free>>20)
	}
	return diskspace.CheckFree(c.Dir(), disk)
}

// checkCacheSpace returns an error if a build cache does not exist and the disk
// has no space for it.
func (c Config) checkCacheSpace(toolchain, system string) error {
	if _, err := os.Stat(sourcetree.BuildCache(c.Dir(), toolchain, system)); err == nil {
		return nil
	}
	return diskspace.CheckFree(c.Dir(), needCaches)
}

// availableMemory returns the memory that programs can get without swapping.
func availableMemory(meminfo string) (int64, bool) {
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
