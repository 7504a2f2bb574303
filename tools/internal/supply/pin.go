package supply

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// Pin makes the pin of a released file: upstream's published sha256, the file
// that has it, and its size. It is the one place that reads a checksum from the
// network; what it finds is then in the lock, for people to review.
func (s *Supplier) Pin(ctx context.Context, key versions.FileKey, source versions.Source) (versions.Pin, error) {
	pin := versions.Pin{FileKey: key, URL: source.URLOf(key)}
	published, err := s.published(ctx, pin)
	if err != nil {
		return pin, fmt.Errorf("pinning %s: %w", key, err)
	}
	pin.SHA256 = published
	if err := s.download(ctx, pin); err != nil {
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
func (s *Supplier) published(ctx context.Context, pin versions.Pin) (versions.Digest, error) {
	if s.Upstream == Off {
		return versions.Digest{}, fmt.Errorf("downloads are switched off")
	}
	from, err := s.url(pin)
	if err != nil {
		return versions.Digest{}, err
	}
	from += ".sha256"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return versions.Digest{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return versions.Digest{}, fmt.Errorf("downloading: %w", err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, headSize))
	if err != nil {
		return versions.Digest{}, fmt.Errorf("downloading %q: %w", from, err)
	}
	if response.StatusCode != http.StatusOK {
		return versions.Digest{}, fmt.Errorf("downloading %q: the server says %s", from, response.Status)
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
