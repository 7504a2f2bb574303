package builder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
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
		return fmt.Errorf("not enough memory: want %d MiB, got %d MiB. Fix: stop other programs, or lower --parallel", memory>>20, free>>20)
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

var memAvailable = regexp.MustCompile(`(?m)^MemAvailable: +([0-9]+) kB$`)

// availableMemory returns the memory that programs can get without swapping.
func availableMemory(meminfo string) (int64, bool) {
	data, _ := os.ReadFile(meminfo) // not every system has the file
	m := memAvailable.FindSubmatch(data)
	if m == nil {
		return 0, false
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10, err == nil
}

// lowDisk is the free disk space below which EvictCaches removes caches.
const lowDisk = 2 * needDisk

// EvictCaches removes build caches, the least recently used first, until enough
// disk space is free.
func (c Config) EvictCaches(ctx context.Context) error {
	if free, err := diskspace.Free(c.Dir()); err != nil || free > lowDisk {
		return err
	}
	lock, err := sourcetree.LockCompile(ctx, c.Dir(), c.Progress) // caches in use stay
	if err != nil {
		return err
	}
	defer lock.Close()
	parent := sourcetree.BuildCaches(c.Dir())
	caches, err := leastRecentlyUsed(parent)
	if err != nil {
		return fmt.Errorf("evicting build caches: %w", err)
	}
	for _, cache := range caches {
		if free, err := diskspace.Free(c.Dir()); err != nil || free > lowDisk {
			return err
		}
		dir := filepath.Join(parent, cache.Name())
		c.Progress.Logf("low disk space: removing the build cache %s", dir)
		if err := atomic.RemoveAll(dir); err != nil {
			return fmt.Errorf("evicting build caches: %w", err)
		}
	}
	return nil
}

// leastRecentlyUsed lists the entries of dir by modification time.
func leastRecentlyUsed(dir string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	slices.SortStableFunc(infos, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	return infos, nil
}
