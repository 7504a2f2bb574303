package fetch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/fetch/unpack"
	"github.com/hyperkube/hyperkube/versions"
)

// archiveLimits bound an archive: the largest published ones hold all server
// binaries, and take half a gigabyte and a few hundred entries.
var archiveLimits = unpack.Limits{Bytes: 4 << 30, Entries: 10_000}

// member puts a file of an archive into the store, and the archive too, which
// may have more of what is wanted.
func (s *Fetcher) member(ctx context.Context, pin versions.Pin) error {
	if err := s.archive(ctx, pin); err != nil {
		return err
	}
	content, closer, err := s.openMember(pin)
	if err != nil {
		return err
	}
	defer closer.Close()
	return s.Store.Put(ctx, pin.SHA256, pin.Size, fmt.Sprintf("%s in %s", pin.Member, pin.URL), content)
}

// archive brings the archive of a pin into the store.
func (s *Fetcher) archive(ctx context.Context, pin versions.Pin) error {
	whole := versions.Pin{FileKey: pin.FileKey, URL: pin.URL, SHA256: pin.Archive, Archive: pin.Archive}
	have, err := s.Store.Has(whole.SHA256)
	if err != nil || have {
		return err
	}
	if s.Upstream == Off {
		return fmt.Errorf("downloads are switched off, and the store lacks its archive, sha256 %s", pin.Archive)
	}
	return s.download(ctx, whole)
}

func (s *Fetcher) openMember(pin versions.Pin) (io.Reader, io.Closer, error) {
	archive, _, err := s.Store.Open(pin.Archive)
	if err != nil {
		return nil, nil, err
	}
	content, _, err := unpack.Member(archive, pin.Member, archiveLimits)
	if err != nil {
		archive.Close()
		return nil, nil, fmt.Errorf("unpacking %q: %w", pin.URL, err)
	}
	return content, archive, nil
}

// PinMember makes the pin of an archive's member. The archive's sha256 is the
// caller's: nobody publishes it beside the archive.
func (s *Fetcher) PinMember(ctx context.Context, key versions.FileKey, source versions.Source, archive versions.Digest) (versions.Pin, error) {
	file, ok := source.File(key)
	if !ok || source.Kind != versions.KindArchive {
		return versions.Pin{}, fmt.Errorf("pinning %s: source %q of %s declares no such member of an archive", key, key.Source, versions.ManifestFile)
	}
	pin := versions.Pin{FileKey: key, URL: source.FileURL(key), Archive: archive, Member: file.Member}
	if err := s.archive(ctx, pin); err != nil {
		return pin, fmt.Errorf("pinning %s: %w", key, err)
	}
	content, closer, err := s.openMember(pin)
	if err != nil {
		return pin, fmt.Errorf("pinning %s: %w", key, err)
	}
	defer closer.Close()
	sum := sha256.New()
	if pin.Size, err = io.Copy(sum, content); err != nil {
		return pin, fmt.Errorf("pinning %s: unpacking %q: %w", key, pin.URL, err)
	}
	pin.SHA256, err = versions.ParseDigest(fmt.Sprintf("%x", sum.Sum(nil)))
	return pin, err
}
