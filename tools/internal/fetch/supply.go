// Package fetch gets pinned files: out of the store, from upstream, or built
// from source. Whichever way a file came, its bytes have the sha256 of the
// lock, or there is no file.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// Off, as the upstream, forbids downloads.
const Off = "off"

// Fetcher gets pinned files into its store.
type Fetcher struct {
	Catalog *versions.Catalog
	Store   store.Store
	// Upstream takes the place of scheme and host in the lock's URLs: a mirror.
	// "" leaves them as they are; [Off] forbids downloads.
	Upstream string
	// TrustMirror lets a mirror say what the sha256 of a new pin is.
	TrustMirror bool
	// Registry takes the place of the registry in the names of base images: a
	// mirror, HOST:PORT or HOST:PORT/PATH. "" and [Off] are as with Upstream.
	Registry string
	// Rebuild puts a released file into the store by building it from source,
	// after or in place of a download. Nil where that is not wanted.
	Rebuild  func(ctx context.Context, pin versions.Pin) error
	Root     string              // folder of this repository, for its own programs
	Getenv   func(string) string // the process environment, for the Go that builds them
	Progress *progress.Reporter
	Log      io.Writer // what the programs say that are run
}

// Ensure brings the pin's file into the store if it is not there. Its bytes are
// checked when they come in and, by [store.Store.Open], when they are read.
func (s *Fetcher) Ensure(ctx context.Context, pin versions.Pin) error {
	have, err := s.Store.Has(pin.SHA256)
	if err == nil && !have {
		err = s.supply(ctx, pin)
	}
	if err != nil {
		return fmt.Errorf("getting %s: %w", pin.FileKey, err)
	}
	return nil
}

func (s *Fetcher) supply(ctx context.Context, pin versions.Pin) error {
	source, ok := s.Catalog.Manifest.Source(pin.Source)
	if !ok {
		return fmt.Errorf("there is no source %q in %s", pin.Source, versions.ManifestFile)
	}
	switch source.Kind {
	case versions.KindGoBuild:
		return s.build(ctx, pin, source)
	case versions.KindRelease:
		return s.release(ctx, pin)
	case versions.KindArchive:
		return s.member(ctx, pin)
	}
	return fmt.Errorf("no way is known to get files of kind %q", source.Kind)
}

// release tries upstream and then source. Bytes that are not the pinned ones
// end it: somebody has to look.
func (s *Fetcher) release(ctx context.Context, pin versions.Pin) error {
	var downloadErr error
	if s.Upstream == Off {
		downloadErr = errors.New("downloads are switched off")
	} else if downloadErr = s.download(ctx, pin); downloadErr == nil {
		return nil
	}
	var mismatch *store.MismatchError
	var local *localError
	if errors.As(downloadErr, &mismatch) || errors.As(downloadErr, &local) || ctx.Err() != nil {
		return downloadErr
	}
	if s.Rebuild == nil {
		return fmt.Errorf("%w; on a machine without the internet set HYPERKUBE_REBUILD=1, to build it from source, or put it at %s", downloadErr, s.Store.Path(pin.SHA256))
	}
	s.Progress.Logf("%s: %v; building it from source", pin.FileKey, downloadErr)
	return s.Rebuild(ctx, pin)
}
