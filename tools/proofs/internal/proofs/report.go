package proofs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstore"
	"github.com/hyperkube/hyperkube/versions"
	"golang.org/x/sync/errgroup"
)

// Status is what is known about a file of the lock.
type Status string

const (
	Proven        Status = "proven"         // a valid proof of the sha256 in the lock
	Missing       Status = "missing"        // no proof in the repository
	Unsigned      Status = "unsigned"       // older than upstream's first signature
	KnownMismatch Status = "known-mismatch" // upstream's signature is of other bytes
	Contradiction Status = "contradiction"  // an invalid proof, or one of other bytes
)

// File is the result for a file of the lock.
type File struct {
	Key     string           `json:"key"`
	Version versions.Version `json:"version"`
	SHA256  versions.Digest  `json:"sha256"`
	Status  Status           `json:"status"`
	Path    string           `json:"path,omitempty"` // of the bundle, in the repository
	Proof   *sigstore.Proof  `json:"proof,omitempty"`
	Reason  string           `json:"reason,omitempty"` // of KnownMismatch and Contradiction
}

// Report has the results of all files.
type Report struct {
	Files []File `json:"files"`
	// Unexpected are files in versions/proofs that prove no file of the lock.
	Unexpected []string `json:"unexpected,omitempty"`
}

// Contradictions returns the number of contradictions and unexpected files.
func (r Report) Contradictions() int {
	n := len(r.Unexpected)
	for _, f := range r.Files {
		if f.Status == Contradiction {
			n++
		}
	}
	return n
}

// Report verifies all proofs.
func (s *Store) Report(ctx context.Context) (Report, error) {
	pins := slices.DeleteFunc(s.lock.Pins(), func(pin versions.Pin) bool { return pin.Source != s.verifier.Policy.Source })
	r := Report{Files: make([]File, len(pins))}
	expected := map[string]bool{PolicyFile: true, RootFile: true}
	documents := map[versions.Version]func() (*document, error){}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, pin := range pins {
		for _, name := range []string{bundlePath(pin.FileKey), documentPath(pin.Version), documentPath(pin.Version) + Suffix} {
			expected[name] = true
		}
		read, ok := documents[pin.Version]
		if !ok {
			read = sync.OnceValues(func() (*document, error) { return s.document(ctx, pin.Version) })
			documents[pin.Version] = read
		}
		group.Go(func() error {
			doc, err := read()
			r.Files[i] = s.file(ctx, pin, doc, err)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return r, err
	}
	unexpected, err := s.unexpected(expected)
	r.Unexpected = unexpected
	return r, err
}

// file returns the result for a file. Its own bundle has precedence over the SPDX
// document, but each of them can contradict.
func (s *Store) file(ctx context.Context, pin versions.Pin, doc *document, docErr error) File {
	f := File{Key: pin.FileKey.String(), Version: pin.Version, SHA256: pin.SHA256, Status: Missing}
	contradict := func(name string, err error) File {
		f.Status, f.Path, f.Reason = Contradiction, name, err.Error()
		return f
	}
	own, err := s.verifyFile(ctx, pin)
	if err != nil {
		return contradict(bundlePath(pin.FileKey), err)
	}
	listing := documentPath(pin.Version) + Suffix
	if docErr != nil {
		return contradict(listing, docErr)
	}
	var listed bool
	if doc != nil {
		var digest versions.Digest
		if digest, listed = doc.Files[ReleasePath(pin.FileKey)]; listed && digest != pin.SHA256 {
			return contradict(listing, fmt.Errorf("the SPDX document lists sha256 %s, the lock has %s", digest, pin.SHA256))
		}
	}
	mismatch, known := s.verifier.Policy.Mismatch(pin.FileKey)
	switch {
	case own != nil:
		f.Status, f.Path, f.Proof = Proven, bundlePath(pin.FileKey), own
	case listed:
		f.Status, f.Path, f.Proof = Proven, listing, &doc.Proof
	case known:
		f.Status, f.Reason = KnownMismatch, mismatch.Reason+", see "+mismatch.URL
	case pin.Version.Compare(s.verifier.Policy.FirstVersion) < 0:
		f.Status = Unsigned
	}
	return f
}

// unexpected returns the files in versions/proofs that are not expected.
func (s *Store) unexpected(expected map[string]bool) (names []string, err error) {
	err = filepath.WalkDir(s.path(Dir), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, err := filepath.Rel(s.path(Dir), file)
		if name := path.Join(Dir, filepath.ToSlash(relative)); !expected[name] && !isTemporary(d) {
			names = append(names, name)
		}
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return names, err
}

// isTemporary reports whether a killed process may have left a file; see package
// atomic.
func isTemporary(d fs.DirEntry) bool { return strings.HasPrefix(d.Name(), ".") }
