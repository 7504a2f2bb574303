// Package content gets programs from their sources.
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

// MaxSize is a bound for programs, in bytes. The largest binary that Kubernetes
// ever published has an eighth of it.
const MaxSize = 1 << 30

// Getter knows the places that programs come from.
type Getter struct {
	// Own finds the program of this image with a name.
	Own func(name string) (path string, err error)
	// Transport reaches servers and registries.
	Transport http.RoundTripper
	// MaxSize bounds a program that comes over a network, in bytes.
	MaxSize int64
	// Arch is the architecture that is taken of images for several.
	Arch string
}

// Content is one program of a source.
type Content struct {
	getter Getter
	name   string
	source source.Source
}

// Of returns the content of the program with a name.
func (g Getter) Of(name string, s source.Source) Content { return Content{g, name, s} }

// String names the place of the program.
func (c Content) String() string {
	if c.source.Kind == source.Own {
		return "this image"
	}
	return c.source.String()
}

// Sum is the sum of the program. It is nil where it cannot be told without
// getting the program from a registry.
func (c Content) Sum(ctx context.Context) (*checksum.Sum, error) {
	if c.source.Sum != nil {
		return c.source.Sum, nil
	}
	if c.source.Kind == source.Image {
		return nil, nil
	}
	meter := checksum.NewMeter()
	if err := c.Write(ctx, meter); err != nil {
		return nil, err
	}
	sum := meter.Sum()
	return &sum, nil
}

// Write writes the program to w. What was written is not compared with a sum
// yet.
func (c Content) Write(ctx context.Context, w io.Writer) error {
	err := c.write(ctx, w)
	if err == nil {
		return nil
	}
	var unknown x509.UnknownAuthorityError
	var noRoots x509.SystemRootsError
	if errors.As(err, &unknown) || errors.As(err, &noRoots) {
		err = fmt.Errorf("%w; an image from scratch has no certificates: mount the host's and name the file in SSL_CERT_FILE", err)
	}
	return fmt.Errorf("getting %q from %s: %w", c.name, c, err)
}

func (c Content) write(ctx context.Context, w io.Writer) error {
	switch c.source.Kind {
	case source.Own:
		path, err := c.getter.Own(c.name)
		if err != nil {
			return err
		}
		return copyFile(ctx, w, path)
	case source.File:
		return copyFile(ctx, w, c.source.Path)
	case source.Web:
		return c.getter.download(ctx, w, c.source.URL)
	case source.Image:
		return c.getter.pull(ctx, w, c.source)
	}
	return errors.New("there is nothing to get")
}
