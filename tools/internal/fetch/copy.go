package fetch

import (
	"io"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
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
	return atomic.Write(to, filepath.Dir(to), 0o755, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return s.Explain(pin, err)
	})
}
