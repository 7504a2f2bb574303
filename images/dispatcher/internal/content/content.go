// Package content reads programs from their sources.
package content

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"

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

// Sum returns the sum of the program, or nil if it is unknown before the program
// was pulled from a registry.
func (c Content) Sum(ctx context.Context) (*checksum.Sum, error) {
	if c.source.Sum != nil {
		return c.source.Sum, nil
	}
	if c.source.Kind == source.Image {
		return nil, nil
	}
	digester := checksum.NewDigester()
	if err := c.Write(ctx, digester); err != nil {
		return nil, err
	}
	sum := digester.Sum()
	return &sum, nil
}

// Write writes the program to w. It does not verify the sum.
func (c Content) Write(ctx context.Context, w io.Writer) error {
	err := c.write(ctx, w)
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

func (c Content) write(ctx context.Context, w io.Writer) error {
	switch c.source.Kind {
	case source.ThisImage:
		path, err := c.fetcher.FindProgram(c.name)
		if err != nil {
			return err
		}
		return copyFile(ctx, w, path)
	case source.File:
		return copyFile(ctx, w, c.source.Path)
	case source.Download:
		return c.fetcher.download(ctx, w, c.source.URL)
	case source.Image:
		return c.fetcher.pullFile(ctx, w, c.source)
	}
	return fmt.Errorf("unknown kind of source %d", c.source.Kind)
}
