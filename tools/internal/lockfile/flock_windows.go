package lockfile

import (
	"errors"
	"fmt"
	"os"
)

const exclusive, shared, noFollow = 0, 1, 0

func flock(*os.File, int) (bool, error) {
	return false, fmt.Errorf("file locks on Windows: %w", errors.ErrUnsupported)
}

func protect(*os.File) error { return nil }

func describeHolder(string) string { return "another process" }

func heldByStrangers(string) bool { return false }
