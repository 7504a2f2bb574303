package pin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/versions"
)

// raising changes pins, and raises the iterations of the images that have other files
// then: their tags may have been published. If it cannot, it changes no pins.
func (p *pinner) raising(change func() error) error {
	before, err := versions.ParseLock(versions.LockFile, p.lock.Format())
	if err != nil {
		return err
	}
	err = change()
	if failed := p.raiseIterations(versions.Changed(p.manifest, before, p.lock)); failed != nil {
		p.lock, p.added = before, 0
		err = errors.Join(err, failed)
	}
	return err
}

// raiseIterations writes the manifest with the next iterations of images.
func (p *pinner) raiseIterations(images []versions.Image) error {
	if len(images) == 0 {
		return nil
	}
	path := filepath.Join(p.env.Dir, versions.ManifestFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading manifest: %w", err)
	}
	if text, err = versions.RaiseIterations(versions.ManifestFile, text, images); err != nil {
		return err
	}
	if err := atomic.WriteFile(path, text); err != nil {
		return err
	}
	if len(images) == 1 {
		fmt.Fprintf(p.env.Err, "hk: raised the iteration of %s to %d, because its files changed\n", images[0].Name(), images[0].Iteration+1)
	} else {
		fmt.Fprintf(p.env.Err, "hk: raised the iterations of %d images in %s, because their files changed\n", len(images), versions.ManifestFile)
	}
	return nil
}
