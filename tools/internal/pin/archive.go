package pin

import (
	"context"
	"fmt"
	"strings"

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
