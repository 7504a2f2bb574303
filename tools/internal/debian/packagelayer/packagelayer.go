// Package packagelayer writes a layer of Debian packages: the files of the packages
// of one set, the database of dpkg, and what the maintainer scripts would have done,
// as declared. Nothing of a package is executed.
//
// The entries are sorted by path, so directories come before their contents. Of the
// directories of lower layers, a layer repeats the parents of its files, because
// container runtimes give directories that a layer lacks default attributes.
package packagelayer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// Opener opens the .deb of a pin. The layer verifies its bytes.
type Opener func(context.Context, versions.PackagePin) (io.ReadCloser, error)

// Write writes the compressed layer to w. It reads every package once, including those
// of the sets below, whose paths and control files it needs. The contents of files are
// kept in unnamed temporary files until they are written.
func Write(ctx context.Context, w io.Writer, l versions.PackageLayer, open Opener, c versions.Compression) (layer.Descriptor, error) {
	var d layer.Descriptor
	err := compose(ctx, l, open, func(entries []layer.Entry) (err error) {
		d, err = layer.Write(ctx, w, c, entries...)
		return err
	})
	return d, err
}

// DiffID returns the digest and the size of the uncompressed layer.
func DiffID(ctx context.Context, l versions.PackageLayer, open Opener) (digest string, size int64, err error) {
	err = compose(ctx, l, open, func(entries []layer.Entry) (err error) {
		digest, size, err = layer.DiffID(ctx, entries...)
		return err
	})
	return digest, size, err
}

// compose calls use with the entries of a layer, whose contents can be read once.
func compose(ctx context.Context, l versions.PackageLayer, open Opener, use func([]layer.Entry) error) (err error) {
	if len(l.Sets) == 0 {
		return errors.New("composing layer of packages: no sets")
	}
	name := l.Sets[len(l.Sets)-1].Name
	fail := func(err error) error { return fmt.Errorf("layer of packages %q for %s: %w", name, l.Platform, err) }
	rules, err := newRules(l)
	if err != nil {
		return fail(err)
	}
	packages, closeSpools, err := scanAll(ctx, l, rules, open)
	defer func() { err = errors.Join(err, closeSpools()) }()
	if err != nil {
		return fail(err)
	}
	t := newTree(len(l.Sets) - 1)
	if err := t.addSets(l, packages); err != nil {
		return fail(err)
	}
	if err := t.addDatabase(l, packages); err != nil {
		return fail(err)
	}
	if err := use(t.entries()); err != nil {
		return fail(err)
	}
	return nil
}
