package sourcetree

import (
	"context"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// LockCompile acquires the lock that is held while compiling, in the cache
// directory of rebuilds. Two concurrent builds take longer than one after the
// other, and twice the memory.
func LockCompile(ctx context.Context, cache string, report *progress.Reporter) (*os.File, error) {
	return waitFor(ctx, lockfile.Acquire, filepath.Join(cache, "compile.lock"), report, "another build to finish compiling")
}

type lockFunc func(ctx context.Context, path string, wait lockfile.Wait) (*os.File, error)

// waitFor acquires a lock. While it waits, it reports what for, and the holder.
func waitFor(ctx context.Context, lock lockFunc, path string, report *progress.Reporter, what string) (*os.File, error) {
	var waiting *progress.Task
	f, err := lock(ctx, path, lockfile.Wait{Timeout: lockfile.LongTimeout, Notify: func(holder string) {
		waiting = report.Start("waiting for "+what+": "+holder, "", 0)
	}})
	if waiting != nil {
		waiting.Done()
	}
	return f, err
}

// BuildCache returns the directory of Go's build cache for a toolchain
// ("go1.26.2") and a system ("host").
func BuildCache(cache, toolchain, system string) string {
	return filepath.Join(BuildCaches(cache), toolchain+"-"+system)
}

// BuildCaches returns the directory of all build caches.
func BuildCaches(cache string) string { return filepath.Join(cache, "gocache") }

// Trees returns the directory of all source trees.
func Trees(cache string) string { return filepath.Join(cache, "trees") }
