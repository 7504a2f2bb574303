package toolset

import (
	"os"
	"syscall"
)

// startWriteback makes the kernel begin to write a part of a file to disk.
func startWriteback(f *os.File, offset, size int64) {
	const syncFileRangeWrite = 2
	_ = syscall.SyncFileRange(int(f.Fd()), offset, size, syncFileRangeWrite) // only a hint
}
