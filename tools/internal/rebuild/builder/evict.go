package builder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/diskspace"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
)

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
