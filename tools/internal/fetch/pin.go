package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// Pin makes the pin of a released file: upstream's published sha256, the file
// that has it, and its size. It is the one place that reads a checksum from the
// network; what it finds is then in the lock, for people to review.
func (s *Fetcher) Pin(ctx context.Context, key versions.FileKey, source versions.Source) (versions.Pin, error) {
	pin := versions.Pin{FileKey: key, URL: source.FileURL(key)}
	published, err := s.published(ctx, pin)
	if err != nil {
		return pin, fmt.Errorf("pinning %s: %w", key, err)
	}
	pin.SHA256 = published
	have, err := s.Store.Has(pin.SHA256)
	if err == nil && !have {
		err = s.download(ctx, pin)
	}
	if err != nil {
		return pin, fmt.Errorf("pinning %s: %w", key, err)
	}
	info, err := os.Stat(s.Store.Path(pin.SHA256))
	if err != nil {
		return pin, fmt.Errorf("pinning %s: %w", key, err)
	}
	pin.Size = info.Size()
	return pin, nil
}

// published is the sha256 that upstream has beside a file.
func (s *Fetcher) published(ctx context.Context, pin versions.Pin) (versions.Digest, error) {
	switch {
	case s.Upstream == Off:
		return versions.Digest{}, errors.New("downloads are switched off. Fix: unset HYPERKUBE_UPSTREAM and HYPERKUBE_REBUILD, or import checksums with hk pin --import")
	case s.Upstream != "" && !s.TrustMirror:
		return versions.Digest{}, errors.New("the checksum would come from the mirror in HYPERKUBE_UPSTREAM. Fix: unset it, import checksums with --import, or pass --trust-mirror")
	}
	at, err := s.url(pin)
	if err != nil {
		return versions.Digest{}, err
	}
	at = at.JoinPath()
	at.Path += ".sha256"
	from := at.Redacted()
	var raw []byte
	err = s.again(ctx, pin.FileKey.String(), from, func() error {
		ctx, cancel := context.WithTimeout(ctx, stall)
		defer cancel()
		response, err := ask(ctx, at)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if raw, err = io.ReadAll(io.LimitReader(response.Body, headSize)); err != nil {
			return &passingError{fmt.Errorf("downloading %q: %w", from, err)}
		}
		return nil
	})
	if err != nil {
		return versions.Digest{}, err
	}
	if kind := markup(raw); kind != "" {
		return versions.Digest{}, fmt.Errorf("downloading %q: it is %s, not a checksum: %s", from, kind, quote(raw))
	}
	d, err := versions.ParseDigest(strings.TrimSpace(string(raw)))
	if err != nil {
		return d, fmt.Errorf("downloading %q: %w", from, err)
	}
	return d, nil
}
