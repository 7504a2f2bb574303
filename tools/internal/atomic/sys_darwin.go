package atomic

import "golang.org/x/sys/unix"

func exchange(a, b string) error { return unix.RenamexNp(a, b, unix.RENAME_SWAP) }

// SyncFS flushes all file systems to disk.
func SyncFS(string) error { return unix.Sync() }
