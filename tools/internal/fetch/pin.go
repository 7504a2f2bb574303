package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// Pin returns the pin of a released file: its URL, the sha256 that upstream
// publishes, and the size of the file that matches it. No other function reads a
// checksum from the network; people review the lock it is written to.
func (f *Fetcher) Pin(ctx context.Context, key versions.FileKey, source versions.Source) (versions.Pin, error) {
	pin := versions.Pin{FileKey: key, URL: source.FileURL(key)}
	fail := func(err error) (versions.Pin, error) { return pin, fmt.Errorf("pinning %s: %w", key, err) }
	var err error
	if pin.SHA256, err = f.publishedDigest(ctx, pin); err != nil {
		return fail(err)
	}
	if err := f.ifMissing(pin.SHA256, func() error { return f.download(ctx, pin) }); err != nil {
		return fail(err)
	}
	info, err := os.Stat(f.Store.Path(pin.SHA256))
	if err != nil {
		return fail(err)
	}
	pin.Size = info.Size()
	return pin, nil
}

// publishedDigest downloads the checksum file next to a released file.
func (f *Fetcher) publishedDigest(ctx context.Context, pin versions.Pin) (versions.Digest, error) {
	var none versions.Digest
	switch {
	case f.Upstream == Off:
		return none, errors.New("downloads are disabled. Fix: unset HYPERKUBE_UPSTREAM and HYPERKUBE_REBUILD, or import checksums with --import")
	case f.Upstream != "" && !f.TrustMirror:
		return none, errors.New("the checksum would come from the mirror in HYPERKUBE_UPSTREAM. Fix: unset it, import checksums with --import, or pass --trust-mirror")
	}
	u, err := f.downloadURL(pin)
	if err != nil {
		return none, err
	}
	u = u.JoinPath()
	u.Path += ".sha256"
	from := u.Redacted()
	var raw []byte
	err = f.retry(ctx, pin.FileKey.String(), from, func() error {
		ctx, cancel := context.WithTimeout(ctx, responseTimeout)
		defer cancel()
		response, err := get(ctx, cmp.Or(f.client, defaultClient), u, nil)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if raw, err = io.ReadAll(io.LimitReader(response.Body, store.HeadSize)); err != nil {
			return &transientError{fmt.Errorf("downloading %q: %w", from, err)}
		}
		return nil
	})
	if err != nil {
		return none, err
	}
	if kind := store.Markup(raw); kind != "" {
		return none, fmt.Errorf("downloading %q: it is %s, not a checksum: %s", from, kind, store.Quote(raw))
	}
	d, err := versions.ParseDigest(strings.TrimSpace(string(raw)))
	if err != nil {
		return none, fmt.Errorf("downloading %q: %w", from, err)
	}
	return d, nil
}
