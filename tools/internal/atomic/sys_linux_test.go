package atomic

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The file system allocates blocks for written data when it flushes them.
func TestSyncFS(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if !delayedAllocation(t, f) {
		t.Skip("the file system does not delay allocation, or has flushed the file already")
	}
	if err := SyncFS(dir); err != nil {
		t.Fatal(err)
	}
	if delayedAllocation(t, f) {
		t.Error("the file is not on the disk")
	}
	if err := SyncFS(filepath.Join(dir, "none")); err == nil {
		t.Error("no error for a directory that does not exist")
	}
}

// delayedAllocation reports whether the first extent of a file has no blocks yet.
func delayedAllocation(t *testing.T, f *os.File) bool {
	t.Helper()
	const (
		fiemap          = 0xc020660b // FS_IOC_FIEMAP
		extentDelalloc  = 0x4        // FIEMAP_EXTENT_DELALLOC
		allOfTheFile    = ^uint64(0)
		roomForOneEntry = 1
	)
	var m struct { // struct fiemap with one struct fiemap_extent
		start, length                uint64
		flags, mapped, count, unused uint32
		logical, physical, size      uint64
		unused64                     [2]uint64
		extentFlags                  uint32
		unused32                     [3]uint32
	}
	m.length, m.count = allOfTheFile, roomForOneEntry
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), fiemap, uintptr(unsafe.Pointer(&m))); errno != 0 {
		t.Skipf("listing the extents of a file: %v", errno)
	}
	return m.mapped > 0 && m.extentFlags&extentDelalloc != 0
}
