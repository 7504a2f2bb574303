package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/diskspace"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/versions"
)

// What a version's builds take at most, measured, with a margin: the modules
// and the tree 1.5 GiB, a toolchain 0.3; build caches for two architectures 4,
// a Debian root 1; a linker 1.6 GiB of memory.
const (
	needSources = 2 << 30
	needCaches  = 6 << 30
	needDisk    = needSources + needCaches
	needMemory  = 2 << 30
)

// checkNeeds says what the work needs before it begins, and refuses where that
// is not there.
func (r *rebuilder) checkNeeds(version versions.Version) error {
	if err := os.MkdirAll(r.config.cache, 0o755); err != nil {
		return fmt.Errorf("making the folder of rebuilds: %w", err)
	}
	room := int64(needDisk)
	if _, err := os.Stat(sourcetree.Dir(sourcetree.Trees(r.config.cache), version.String())); err == nil {
		room = needSources // and for caches, once it is known whether they are there
	}
	memory := int64(needMemory + max(0, r.config.compilers-2)<<30)
	r.report.Logf("rebuilding %s in %s: needs up to %d GiB of disk and %d GiB of memory", version, r.config.cache, room>>30, memory>>30)
	if free, ok := freeMemory("/proc/meminfo"); ok && free < memory {
		return fmt.Errorf("too little memory: %d MiB available, want %d MiB; stop other programs or lower -compilers", free>>20, memory>>20)
	}
	return diskspace.CheckFree(r.config.cache, room)
}

// checkCaches refuses where there is no room for build caches that are not
// there yet.
func (r *rebuilder) checkCaches(toolchain, system string) error {
	if _, err := os.Stat(sourcetree.BuildCache(r.config.cache, toolchain, system)); err == nil {
		return nil
	}
	return diskspace.CheckFree(r.config.cache, needCaches)
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
