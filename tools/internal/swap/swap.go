// Package swap puts a folder that is ready in the place of another one in a
// single step: at every moment there is the old folder or the new one.
package swap

import (
	"errors"
	"io/fs"
	"os"
)

// Into puts the folder ready in the place of dir. What was there is at ready
// then; where nothing was, ready is gone.
func Into(ready, dir string) error {
	err := exchange(ready, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return os.Rename(ready, dir)
	}
	return err
}
