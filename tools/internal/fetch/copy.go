package fetch

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/hyperkube/hyperkube/versions"
)

// Copy writes the pin's file to a path, which must be free or is replaced: a
// copy and no link, so that nothing done to the store later changes it.
func (s *Fetcher) Copy(pin versions.Pin, to string) error {
	in, _, err := s.Store.Open(pin.SHA256)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := renameio.NewPendingFile(to, renameio.WithTempDir(filepath.Dir(to)), renameio.WithStaticPermissions(0o755))
	if err != nil {
		return fmt.Errorf("writing %q: %w", to, err)
	}
	defer tmp.Cleanup() // nothing is left to clean after a replacement
	if _, err := io.Copy(tmp, in); err != nil {
		return s.Explain(pin, err)
	}
	if err := tmp.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("writing %q: %w", to, err)
	}
	return nil
}
