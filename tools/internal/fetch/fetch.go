// Package fetch brings pinned files and base images into the store: by download,
// from a mirror, or by a build from source. Their bytes have the sha256 of the
// lock, wherever they come from.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// Off is the value of Upstream and Registry that disables downloads.
const Off = "off"

// Fetcher brings pinned files into its store.
type Fetcher struct {
	Catalog *versions.Catalog
	Store   store.Store
	// Upstream is the URL of a mirror that replaces scheme and host in the URLs
	// of the lock, unless empty.
	Upstream string
	// TrustMirror allows checksums of new pins to come from the mirror.
	TrustMirror bool
	// Registry is a mirror, HOST:PORT or HOST:PORT/PATH, that replaces the
	// registry in the names of base images, unless empty.
	Registry string
	// DebianMirror returns the mirror that Debian packages are fetched from, before
	// the snapshot archive. Nil for none.
	DebianMirror func() (mirror.Mirror, error)
	// Rebuild builds a released file from source into the store, where a download
	// is disabled or fails. Nil disables rebuilds.
	Rebuild  func(ctx context.Context, pin versions.Pin) error
	Root     string              // root of this repository, to build its programs
	Getenv   func(string) string // environment of the go command
	Progress *progress.Reporter
	client   *http.Client // nil for the default
	Log      io.Writer    // output of subprocesses
}

// Ensure brings the pin's file into the store if it is missing. [Fetcher.Open]
// verifies a file that is in the store.
func (f *Fetcher) Ensure(ctx context.Context, pin versions.Pin) error {
	if err := f.ifMissing(pin.SHA256, func() error { return f.fetch(ctx, pin) }); err != nil {
		return fmt.Errorf("fetching %s: %w", pin.FileKey, err)
	}
	return nil
}

// ifMissing calls fetch unless the store has a file with the digest.
func (f *Fetcher) ifMissing(d versions.Digest, fetch func() error) error {
	have, err := f.Store.Has(d)
	if err != nil || have {
		return err
	}
	return fetch()
}

func (f *Fetcher) fetch(ctx context.Context, pin versions.Pin) error {
	if p, ok := f.Catalog.Lock.Package(pin.FileKey.String()); ok {
		return f.fetchPackage(ctx, pin, p)
	}
	source, ok := f.Catalog.Manifest.Source(pin.Source)
	if !ok {
		return fmt.Errorf("unknown source %q in %s", pin.Source, versions.ManifestFile)
	}
	switch source.Kind {
	case versions.KindGoBuild:
		return f.buildPinned(ctx, pin, source)
	case versions.KindRelease:
		return f.fetchRelease(ctx, pin)
	case versions.KindArchive:
		return f.fetchMember(ctx, pin)
	}
	return fmt.Errorf("unknown source kind %q", source.Kind)
}

// fetchRelease downloads a file, or rebuilds it if that fails. It does not
// rebuild a file that was downloaded with other bytes: that needs a decision.
func (f *Fetcher) fetchRelease(ctx context.Context, pin versions.Pin) error {
	downloadErr := errors.New("downloads are disabled")
	if f.Upstream != Off {
		if downloadErr = f.download(ctx, pin); downloadErr == nil {
			return nil
		}
	}
	var mismatch *store.MismatchError
	var local *localError
	if errors.As(downloadErr, &mismatch) || errors.As(downloadErr, &local) || ctx.Err() != nil {
		return downloadErr
	}
	if f.Rebuild == nil {
		return fmt.Errorf("%w\nFix: set HYPERKUBE_REBUILD=1 to build it from source, or copy it to %s", downloadErr, f.Store.Path(pin.SHA256))
	}
	f.Progress.Logf("%s: %v; building it from source", pin.FileKey, downloadErr)
	return f.Rebuild(ctx, pin)
}
