package fetch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/fetch/unpack"
	"github.com/hyperkube/hyperkube/versions"
)

// archiveLimits bound an archive. The largest published ones hold all server
// binaries: half a gigabyte and a few hundred entries.
var archiveLimits = unpack.Limits{Bytes: 4 << 30, Entries: 10_000}

// fetchMember brings a member of an archive into the store, and the archive,
// which may have other pinned members.
func (f *Fetcher) fetchMember(ctx context.Context, pin versions.Pin) error {
	content, closer, err := f.openMember(ctx, pin)
	if err != nil {
		return err
	}
	defer closer.Close()
	return f.Store.Put(ctx, pin.SHA256, pin.Size, fmt.Sprintf("%s in %s", pin.Member, pin.URL), content)
}

func (f *Fetcher) openMember(ctx context.Context, pin versions.Pin) (io.Reader, io.Closer, error) {
	if err := f.ifMissing(pin.Archive, func() error { return f.fetchArchive(ctx, pin) }); err != nil {
		return nil, nil, err
	}
	archive, _, err := f.open(pin.Archive, nil)
	if err != nil {
		return nil, nil, err
	}
	content, err := unpack.Member(archive, pin.Member, archiveLimits)
	if err != nil {
		archive.Close()
		return nil, nil, fmt.Errorf("unpacking %q: %w", pin.URL, err)
	}
	return content, archive, nil
}

func (f *Fetcher) fetchArchive(ctx context.Context, pin versions.Pin) error {
	if f.Upstream == Off {
		return fmt.Errorf("downloads are disabled, and the archive is not in the store: sha256 %s", pin.Archive)
	}
	return f.download(ctx, versions.Pin{FileKey: pin.FileKey, URL: pin.URL, SHA256: pin.Archive, Archive: pin.Archive})
}

// PinMember returns the pin of a member of an archive. The caller gives the
// archive's sha256, because no checksum file is published next to it.
func (f *Fetcher) PinMember(ctx context.Context, key versions.FileKey, source versions.Source, archive versions.Digest) (versions.Pin, error) {
	file, ok := source.File(key)
	if !ok || source.Kind != versions.KindArchive {
		return versions.Pin{}, fmt.Errorf("pinning %s: source %q of %s has no such member of an archive", key, key.Source, versions.ManifestFile)
	}
	pin := versions.Pin{FileKey: key, URL: source.FileURL(key), Archive: archive, Member: file.Member}
	content, closer, err := f.openMember(ctx, pin)
	if err != nil {
		return pin, fmt.Errorf("pinning %s: %w", key, err)
	}
	defer closer.Close()
	sum := sha256.New()
	if pin.Size, err = io.Copy(sum, content); err != nil {
		return pin, fmt.Errorf("pinning %s: unpacking %q: %w", key, pin.URL, err)
	}
	pin.SHA256 = versions.NewDigest([sha256.Size]byte(sum.Sum(nil)))
	return pin, nil
}
