package sourcetree

import (
	"context"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// LockCompile waits until no other process of this user compiles: two at once take
// longer than one after the other, and twice the memory. Cache is the folder of
// all that rebuilds keep.
func LockCompile(ctx context.Context, cache string, report *progress.Reporter) (*os.File, error) {
	var waiting *progress.Task
	lock, err := lockfile.Acquire(ctx, filepath.Join(cache, "compile.lock"), func() {
		waiting = report.Start("waiting for another rebuild to finish compiling", "", 0)
	})
	if waiting != nil {
		waiting.Done()
	}
	return lock, err
}

// BuildCache is Go's build cache of a toolchain ("go1.26.2") in a system, in
// the same folder.
func BuildCache(cache, toolchain, system string) string {
	return filepath.Join(BuildCaches(cache), toolchain+"-"+system)
}

// BuildCaches is the folder of them all.
func BuildCaches(cache string) string { return filepath.Join(cache, "gocache") }

// Trees is the folder of all source trees, in the same folder.
func Trees(cache string) string { return filepath.Join(cache, "trees") }
