package proofs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstore"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/spdx"
	"github.com/hyperkube/hyperkube/versions"
)

// maxImport is the maximum number of files in a directory that is imported.
const maxImport = 100_000

// Imported counts the bundles of an import.
type Imported struct {
	Added   int // stored
	Present int // had a valid proof before
}

// Import stores the bundles in a directory and below it, whatever their names: the
// sha256 that a bundle signs says which file of the lock it proves, or which SPDX
// document in the directory. Bundles that are refused are errors, after all others
// are stored.
func (s *Store) Import(ctx context.Context, dir string) (n Imported, err error) {
	files, documents, err := list(ctx, dir)
	if err != nil {
		return n, err
	}
	var errs []error
	pins := map[versions.Digest][]versions.Pin{}
	for _, pin := range s.lock.Pins() {
		if pin.Source == s.verifier.Policy.Source {
			pins[pin.SHA256] = append(pins[pin.SHA256], pin)
		}
	}
	count := func(file string, added bool, err error) {
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("importing %q: %w", file, err))
		case added:
			n.Added++
		default:
			n.Present++
		}
	}
	found := false
	for _, file := range files {
		data, err := ctxio.ReadFile(ctx, file, sigstore.MaxBundle)
		if err != nil {
			return n, err
		}
		if !bytes.Contains(data, []byte("application/vnd.dev.sigstore.bundle")) {
			continue
		}
		found = true
		b, err := sigstore.Parse(data)
		if err != nil {
			count(file, false, refuse(err))
			continue
		}
		document, isDocument := documents[b.Digest()]
		switch {
		case isDocument:
			added, err := s.importDocument(ctx, document, b)
			count(file, added, err)
		case len(pins[b.Digest()]) == 0:
			count(file, false, refuse(fmt.Errorf("no file of the lock and no SPDX document in the directory has sha256 %s", b.Digest())))
		}
		for _, pin := range pins[b.Digest()] {
			added, err := s.Add(ctx, pin, b)
			count(file, added, err)
		}
	}
	if !found {
		errs = append(errs, fmt.Errorf("importing %q: it has no Sigstore bundle. Fix: want files in JSON, as cosign sign-blob --bundle writes them", dir))
	}
	return n, errors.Join(errs...)
}

// importDocument stores an SPDX document and its bundle.
func (s *Store) importDocument(ctx context.Context, file string, b *sigstore.Bundle) (added bool, err error) {
	data, err := ctxio.ReadFile(ctx, file, spdx.MaxDocument)
	if err != nil {
		return false, err
	}
	doc, err := spdx.Parse(data)
	if err != nil {
		return false, refuse(err)
	}
	for _, pin := range s.Signed() {
		if doc.IsOf(pin.Version) {
			return s.AddDocument(ctx, pin.Version, data, b)
		}
	}
	return false, refuse(fmt.Errorf("the lock has no version of the SPDX document %q, %q", doc.Name, doc.Namespace))
}

// list returns the JSON files in a directory that may be bundles, and the SPDX documents
// by their sha256.
func list(ctx context.Context, dir string) (files []string, documents map[versions.Digest]string, err error) {
	documents = map[versions.Digest]string{}
	n := 0
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if n++; n > maxImport {
			return fmt.Errorf("importing %q: want at most %d files", dir, maxImport)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch extension := filepath.Ext(file); {
		case extension == ".json" && info.Size() <= sigstore.MaxBundle:
			files = append(files, file)
		case extension == ".spdx" && info.Size() <= spdx.MaxDocument:
			data, err := ctxio.ReadFile(ctx, file, spdx.MaxDocument)
			if err != nil {
				return err
			}
			documents[versions.NewDigest(sha256.Sum256(data))] = file
		}
		return nil
	})
	return files, documents, err
}
