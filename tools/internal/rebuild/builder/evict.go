package builder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/diskspace"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
)

// lowDisk is the free disk space below which EvictCaches removes caches.
const lowDisk = 2 * needDisk

// EvictCaches removes build caches, the least recently used first, until enough
// disk space is free.
func (c Config) EvictCaches(ctx context.Context) error {
	if err := os.MkdirAll(c.Dir(), 0o755); err != nil {
		return fmt.Errorf("creating the cache of rebuilds: %w", err)
	}
	if free, err := diskspace.Free(c.Dir()); err != nil || free > lowDisk {
		return err
	}
	lock, err := sourcetree.LockCompile(ctx, c.Dir(), c.Progress) // caches in use stay
	if err != nil {
		return err
	}
	defer lock.Close()
	caches, err := leastRecentlyUsed(sourcetree.BuildCaches(c.Dir()))
	if err != nil {
		return fmt.Errorf("evicting build caches: %w", err)
	}
	for _, dir := range caches {
		if free, err := diskspace.Free(c.Dir()); err != nil || free > lowDisk {
			return err
		}
		c.Progress.Logf("low disk space: removing the build cache %s", dir)
		if err := atomic.RemoveAll(dir); err != nil {
			return fmt.Errorf("evicting build caches: %w", err)
		}
	}
	return nil
}

// leastRecentlyUsed lists the entries of dir by modification time.
func leastRecentlyUsed(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	used := map[string]time.Time{}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		name := filepath.Join(dir, e.Name())
		used[name] = info.ModTime()
		names = append(names, name)
	}
	slices.SortStableFunc(names, func(a, b string) int { return used[a].Compare(used[b]) })
	return names, nil
}
