package proofs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstore"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/spdx"
	"github.com/hyperkube/hyperkube/versions"
)

// Store has the proofs of a checkout.
type Store struct {
	root     string // of the checkout
	lock     *versions.Lock
	verifier *sigstore.Verifier
}

// NewStore returns the proofs of the checkout at root.
func NewStore(root string, lock *versions.Lock, verifier *sigstore.Verifier) *Store {
	return &Store{root, lock, verifier}
}

// Signed returns the pins of files that upstream signs, by key.
func (s *Store) Signed() []versions.Pin {
	var signed []versions.Pin
	for _, pin := range s.lock.Pins() {
		if pin.Source == s.verifier.Policy.Source && pin.Version.Compare(s.verifier.Policy.FirstVersion) >= 0 {
			signed = append(signed, pin)
		}
	}
	return signed
}

// A Refusal is the reason why a proof was not stored.
type Refusal struct{ error }

func (r *Refusal) Unwrap() error { return r.error }

func refuse(err error) error { return &Refusal{err} }

// Add verifies the bundle of a file and stores it. A valid bundle is not replaced.
func (s *Store) Add(ctx context.Context, pin versions.Pin, b *sigstore.Bundle) (added bool, err error) {
	if _, err := s.verifier.Verify(b, pin.SHA256); err != nil {
		return false, refuse(fmt.Errorf("%s: %w", pin.FileKey, err))
	}
	name := bundlePath(pin.FileKey)
	if old, err := s.verifyFile(ctx, pin); err == nil && old != nil {
		return false, nil
	}
	return true, s.write(name, b)
}

// AddDocument verifies the SPDX document of a version and its bundle, and stores both,
// unless a file in the lock differs from the document.
func (s *Store) AddDocument(ctx context.Context, v versions.Version, document []byte, b *sigstore.Bundle) (added bool, err error) {
	doc, err := s.checkDocument(v, document, b)
	if err != nil {
		return false, refuse(fmt.Errorf("%s of %s: %w", Document, v, err))
	}
	for _, pin := range s.Signed() {
		if got, ok := doc.Files[ReleasePath(pin.FileKey)]; ok && pin.Version == v && got != pin.SHA256 {
			return false, refuse(fmt.Errorf("%s of %s: %s has sha256 %s, in the lock %s", Document, v, pin.FileKey, got, pin.SHA256))
		}
	}
	if old, err := s.document(ctx, v); err == nil && old != nil {
		return false, nil
	}
	if err := s.write(documentPath(v)+Suffix, b); err != nil {
		return false, err
	}
	return true, atomic.WriteFile(s.path(documentPath(v)), document)
}

func (s *Store) path(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

func (s *Store) write(name string, b *sigstore.Bundle) error {
	data, err := b.Format()
	if err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	if err := os.MkdirAll(s.path(path.Dir(name)), 0o755); err != nil {
		return err
	}
	return atomic.WriteFile(s.path(name), data)
}

// verifyFile returns what the bundle of a file proves; nil if there is none.
func (s *Store) verifyFile(ctx context.Context, pin versions.Pin) (*sigstore.Proof, error) {
	data, err := s.read(ctx, bundlePath(pin.FileKey), sigstore.MaxBundle)
	if err != nil || data == nil {
		return nil, err
	}
	b, err := sigstore.Parse(data)
	if err != nil {
		return nil, err
	}
	proof, err := s.verifier.Verify(b, pin.SHA256)
	if err != nil {
		return nil, err
	}
	return &proof, nil
}

// document returns the verified SPDX document of a version; nil if there is none.
func (s *Store) document(ctx context.Context, v versions.Version) (*document, error) {
	data, err1 := s.read(ctx, documentPath(v), spdx.MaxDocument)
	raw, err2 := s.read(ctx, documentPath(v)+Suffix, sigstore.MaxBundle)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	switch {
	case data == nil && raw == nil:
		return nil, nil
	case data == nil || raw == nil:
		return nil, fmt.Errorf("want %q and its bundle, got one of them", documentPath(v))
	}
	b, err := sigstore.Parse(raw)
	if err != nil {
		return nil, err
	}
	return s.checkDocument(v, data, b)
}

// document is a verified SPDX document.
type document struct {
	spdx.Document
	sigstore.Proof
}

func (s *Store) checkDocument(v versions.Version, data []byte, b *sigstore.Bundle) (*document, error) {
	proof, err := s.verifier.Verify(b, versions.NewDigest(sha256.Sum256(data)))
	if err != nil {
		return nil, err
	}
	doc, err := spdx.Parse(data)
	if err != nil {
		return nil, err
	}
	if !doc.IsOf(v) {
		return nil, fmt.Errorf("want the document of %s, got %q, %q", v, doc.Name, doc.Namespace)
	}
	return &document{doc, proof}, nil
}
