// Package content reads programs from their sources.
package content

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
)

// MaxSize is the maximum size of a program in bytes, eight times that of the
// largest binary that Kubernetes ever published.
const MaxSize = 1 << 30

// Fetcher reads programs from this image, files, servers and registries.
type Fetcher struct {
	// FindProgram returns the path of a program in this image.
	FindProgram func(name string) (path string, err error)
	// Transport is used for downloads and for registries.
	Transport http.RoundTripper
	// MaxSize is the maximum size of a program from the network, in bytes.
	MaxSize int64
	// Arch is the architecture to choose from an image index.
	Arch string
	// ThisImage is the reference of this image, or "" if it is unknown.
	ThisImage string
}

// Content is the content of one program.
type Content struct {
	fetcher Fetcher
	name    string
	source  source.Source
}

// Content returns the content of the program name from a source.
func (f Fetcher) Content(name string, s source.Source) Content { return Content{f, name, s} }

// String returns the source of the program, for messages.
func (c Content) String() string {
	if c.source.Kind == source.ThisImage {
		return "this image"
	}
	return c.source.String()
}

// Source returns the source of the program, for records.
func (c Content) Source() string {
	if c.source.Kind == source.ThisImage && c.fetcher.ThisImage != "" {
		return c.fetcher.ThisImage
	}
	return c.String()
}

// Sum returns the sum of the program, or nil if it is unknown before the program was
// written. A file is read only if it has the given size.
func (c Content) Sum(ctx context.Context, size int64) (*checksum.Sum, error) {
	if c.source.Sum != nil {
		return c.source.Sum, nil
	}
	path, err := c.path()
	if err != nil || path == "" {
		return nil, c.wrap(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		return nil, c.wrap(err)
	}
	digester := checksum.NewDigester()
	if err := copyFile(ctx, digester, path); err != nil {
		return nil, c.wrap(err)
	}
	sum := digester.Sum()
	return &sum, nil
}

// path returns the path of a program that is a file, or "".
func (c Content) path() (string, error) {
	switch c.source.Kind {
	case source.ThisImage:
		return c.fetcher.FindProgram(c.name)
	case source.File:
		return c.source.Path, nil
	}
	return "", nil
}

// wrap adds the source to an error.
func (c Content) wrap(err error) error {
	if err == nil {
		return nil
	}
	var unknown x509.UnknownAuthorityError
	var noRoots x509.SystemRootsError
	if errors.As(err, &unknown) || errors.As(err, &noRoots) {
		err = fmt.Errorf("%w; if this image has no CA certificates, mount those of the host and set SSL_CERT_FILE to their path", err)
	}
	if c.source.Kind == source.Download || c.source.Kind == source.Image {
		err = escapedError{err}
	}
	return fmt.Errorf("reading %q from %s: %w", c.name, c, err)
}
