package atomic

import "errors"

func exchange(_, _ string) error { return errors.ErrUnsupported }

// SyncFS returns an error: Windows cannot flush a file system without privileges.
func SyncFS(string) error { return errors.ErrUnsupported }
