package pin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/versions"
)

// Archive is a member of an archive, and the sha256 of the archive.
type Archive struct {
	Member versions.FileKey
	SHA256 versions.Digest
}

// ParseArchive parses "KEY=SHA256".
func ParseArchive(s string) (Archive, error) {
	name, sum, ok := strings.Cut(s, "=")
	if !ok {
		return Archive{}, fmt.Errorf("want KEY=SHA256, got %q", s)
	}
	var a Archive
	var err error
	if a.Member, err = versions.ParseFileKey(name); err != nil {
		return a, err
	}
	a.SHA256, err = versions.ParseDigest(sum)
	return a, err
}

// archives pins members of archives. An image that has another file for it gets the
// next iteration in the manifest: its tag may have been published.
func (p *pinner) archives(ctx context.Context, archives []Archive) error {
	before, err := versions.ParseLock(versions.LockFile, p.lock.Format())
	if err != nil {
		return err
	}
	for _, a := range archives {
		err = errors.Join(err, p.archive(ctx, a))
	}
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
	for _, image := range images {
		fmt.Fprintf(p.env.Err, "hk: raised the iteration of %s to %d, because its files changed\n", image.Name(), image.Iteration+1)
	}
	return nil
}

// archive pins a member of an archive that has the given sha256.
func (p *pinner) archive(ctx context.Context, a Archive) error {
	source, ok := p.manifest.Source(a.Member.Source)
	if !ok {
		return fmt.Errorf("pinning %s: unknown source %q in %s", a.Member, a.Member.Source, versions.ManifestFile)
	}
	pin, err := p.fetcher.PinMember(ctx, a.Member, source, a.SHA256)
	if err != nil {
		return err
	}
	return p.add(pin)
}
