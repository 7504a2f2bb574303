// Package diskspace measures the free space of file systems.
package diskspace

import "fmt"

// Free returns the number of bytes that may be written to the file system of dir.
func Free(dir string) (int64, error) {
	free, err := statfs(dir)
	if err != nil {
		return 0, fmt.Errorf("measuring the free disk space of %q: %w", dir, err)
	}
	return free, nil
}

// CheckFree returns an error if fewer than want bytes may be written.
func CheckFree(dir string, want int64) error {
	free, err := Free(dir)
	if err == nil && free < want {
		err = fmt.Errorf("not enough disk space: %q has %d MiB free, want %d MiB; free some or set HYPERKUBE_CACHE to a directory on another disk",
			dir, free>>20, want>>20)
	}
	return err
}
