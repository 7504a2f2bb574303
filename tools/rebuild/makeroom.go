package main

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

// lowDisk is when a survey throws away what it can make again.
const lowDisk = 2 * needDisk

// makeRoom removes build caches where the disk is nearly full, those first
// that were used last longest ago.
func (r *rebuilder) makeRoom(ctx context.Context) error {
	if err := os.MkdirAll(r.config.cache, 0o755); err != nil {
		return fmt.Errorf("making the folder of rebuilds: %w", err)
	}
	if now, err := diskspace.Free(r.config.cache); err != nil || now > lowDisk {
		return err
	}
	turn, err := sourcetree.LockCompile(ctx, r.config.cache, r.report) // nobody compiles now
	if err != nil {
		return err
	}
	defer turn.Close()
	caches, err := cachesByUse(sourcetree.BuildCaches(r.config.cache))
	if err != nil {
		return err
	}
	for _, dir := range caches {
		if now, err := diskspace.Free(r.config.cache); err != nil || now > lowDisk {
			return err
		}
		r.report.Logf("making room: removing the build cache %s", dir)
		if err := atomic.RemoveAll(dir); err != nil {
			return fmt.Errorf("making room: %w", err)
		}
	}
	return nil
}

// cachesByUse lists the folders in dir, the one used last at the end.
func cachesByUse(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("making room: %w", err)
	}
	used := map[string]time.Time{}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("making room: %w", err)
		}
		name := filepath.Join(dir, e.Name())
		used[name] = info.ModTime()
		names = append(names, name)
	}
	slices.SortStableFunc(names, func(a, b string) int { return used[a].Compare(used[b]) })
	return names, nil
}
