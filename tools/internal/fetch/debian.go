package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/versions"
)

// OpenPackage is [Fetcher.Open] for a Debian package.
func (f *Fetcher) OpenPackage(ctx context.Context, pin versions.PackagePin) (io.ReadCloser, error) {
	content, _, err := f.Open(ctx, f.Catalog.Lock.PackageFile(pin))
	return content, err
}

// fetchPackage brings a Debian package into the store: from the mirror, which may
// have dropped it, or else from the snapshot archive, which keeps all packages.
func (f *Fetcher) fetchPackage(ctx context.Context, pin versions.Pin, p versions.PackagePin) error {
	if f.DebianMirror == nil && f.Upstream == Off {
		return fmt.Errorf("downloads are disabled\nFix: copy it to %s", f.Store.Path(pin.SHA256))
	}
	urls, skipped := f.packageURLs(pin, p)
	pin.Archive = pin.SHA256 // so that a mismatch is not described as one of a program
	var local *localError
	// A mirror that is down delays no file that the snapshot archive has.
	err := f.retry(ctx, pin.FileKey.String(), p.Path, func() error {
		errs := []error{skipped}
		for _, u := range urls {
			err := f.downloadOnce(ctx, pin, u)
			if err == nil || errors.As(err, &local) || ctx.Err() != nil {
				return err
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err == nil || local != nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w\nFix: set %s or %s to a mirror that has it, or copy it to %s",
		err, mirror.ArchiveEnv, mirror.SecurityEnv, f.Store.Path(pin.SHA256))
}

// packageURLs returns the URLs of a package in the order in which they are tried, and
// an error if the mirror or the snapshot archive is not among them.
func (f *Fetcher) packageURLs(pin versions.Pin, p versions.PackagePin) (urls []*url.URL, err error) {
	var errs []error
	if f.DebianMirror != nil {
		u, err := f.mirrorURL(p)
		if err == nil {
			urls = append(urls, u)
		}
		errs = append(errs, err)
	}
	if f.Upstream == Off {
		return urls, errors.Join(append(errs, errors.New("downloads from snapshot.debian.org are disabled by HYPERKUBE_REBUILD=1"))...)
	}
	u, err := f.downloadURL(pin)
	if err == nil {
		urls = append(urls, u)
	}
	return urls, errors.Join(append(errs, err)...)
}

// mirrorURL returns the URL of a package at the mirror.
func (f *Fetcher) mirrorURL(p versions.PackagePin) (*url.URL, error) {
	m, err := f.DebianMirror()
	source := m.Archive
	if p.Archive == versions.SecurityArchive {
		source = m.Security
		if err == nil && source.URI == "" {
			err = fmt.Errorf("the machine has no mirror of the security archive")
		}
	}
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(strings.TrimSuffix(source.URI, "/") + "/" + p.Path)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the mirror %q is not at an http or https URL", source.URI)
	}
	return u, nil
}
