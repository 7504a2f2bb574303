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
	file := filepath.Join(dir, "file")
	writeUnflushed(t, file)
	if err := SyncFS(dir); err != nil {
		t.Fatal(err)
	}
	if delayedAllocation(t, file) {
		t.Error("the file is not on the disk")
	}
	if err := SyncFS(filepath.Join(dir, "none")); err == nil {
		t.Error("no error for a directory that does not exist")
	}
}

func TestCreateDirFlushes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	err := CreateDir(dir, func(tmp string) error {
		writeUnflushed(t, filepath.Join(tmp, "file"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if delayedAllocation(t, filepath.Join(dir, "file")) {
		t.Error("the file is not on the disk")
	}
}

func writeUnflushed(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if !delayedAllocation(t, file) {
		t.Skip("the file system does not delay allocation, or has flushed the file already")
	}
}

// delayedAllocation reports whether the first extent of a file has no blocks yet.
func delayedAllocation(t *testing.T, file string) bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
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
