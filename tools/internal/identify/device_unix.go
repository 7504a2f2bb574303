//go:build unix

package identify

import (
	"io/fs"
	"os"
	"syscall"
)

// openFlags opens neither a symlink nor, if it would block, a named pipe.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOFOLLOW

// deviceOf returns the file system of a file.
func deviceOf(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev)
	}
	return 0
}
