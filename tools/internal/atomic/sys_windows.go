package atomic

import (
	"errors"
	"fmt"
)

func exchange(_, _ string) error {
	return fmt.Errorf("exchanging directories on Windows: %w", errors.ErrUnsupported)
}

// SyncFS returns an error: Windows cannot flush a file system without privileges.
func SyncFS(string) error {
	return fmt.Errorf("flushing file systems on Windows: %w", errors.ErrUnsupported)
}
