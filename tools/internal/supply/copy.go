package supply

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/versions"
)

// Copy writes the pin's file to a path, which must be free or is replaced: a
// copy and no link, so that nothing done to the store later changes it.
func (s *Supplier) Copy(pin versions.Pin, to string) (err error) {
	in, _, err := s.Store.Open(pin.SHA256)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(filepath.Dir(to), ".fetch-*")
	if err != nil {
		return fmt.Errorf("writing %q: %w", to, err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err := io.Copy(tmp, in); err != nil {
		return s.Explain(pin, err)
	}
	if err := errors.Join(tmp.Chmod(0o755), tmp.Close()); err != nil {
		return fmt.Errorf("writing %q: %w", to, err)
	}
	return os.Rename(tmp.Name(), to)
}
