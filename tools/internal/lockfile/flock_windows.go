package lockfile

import (
	"errors"
	"fmt"
	"os"
)

const exclusive, shared = 0, 1

func flock(*os.File, int) (bool, error) {
	return false, fmt.Errorf("file locks on Windows: %w", errors.ErrUnsupported)
}
