package identify

import (
	"io/fs"
	"os"
)

const openFlags = os.O_RDONLY

// deviceOf returns the same for all files: the file system is not known.
func deviceOf(fs.FileInfo) uint64 { return 0 }
