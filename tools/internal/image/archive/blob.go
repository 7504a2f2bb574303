package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	ocilayout "github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/store"
)

const (
	// maxDocument is the maximum size of indexes, manifests and configs, which are
	// kept in memory.
	maxDocument = 4 << 20
	// maxBlob is the maximum file size of the USTAR format.
	maxBlob = 8<<30 - 1
	// chunkSize is the size of reads and writes.
	chunkSize = 1 << 20
)

// blob is a blob of a layout.
type blob struct {
	digest  Digest
	size    int64
	path    string
	content []byte // set for documents only
}

// blobName returns the path of a blob in a layout or an archive.
func blobName(d Digest) string { return path.Join("blobs", "sha256", d.sum.String()) }

func newBlob(dir string, d descriptor) (*blob, error) {
	if d.Digest == (Digest{}) {
		return nil, errors.New("missing digest of a descriptor")
	}
	if d.Size < 0 || d.Size > maxBlob {
		return nil, fmt.Errorf("blob %s: want at most %d bytes, got %d", d.Digest, int64(maxBlob), d.Size)
	}
	return &blob{digest: d.Digest, size: d.Size, path: filepath.Join(dir, filepath.FromSlash(blobName(d.Digest)))}, nil
}

// stat checks that the blob exists and has the expected size.
func (b *blob) stat() error {
	f, err := b.open()
	if err != nil {
		return err
	}
	return f.Close()
}

// load reads a document into memory and verifies it.
func (b *blob) load() error {
	if b.size > maxDocument {
		return fmt.Errorf("blob %s: want a document of at most %d bytes, got %d", b.digest, maxDocument, b.size)
	}
	var buf bytes.Buffer
	if err := b.copyTo(context.Background(), &buf, nil); err != nil {
		return err
	}
	b.content = buf.Bytes()
	return nil
}

// copyTo copies the blob and verifies its digest.
func (b *blob) copyTo(ctx context.Context, w io.Writer, buf []byte) error {
	if b.content != nil {
		_, err := w.Write(b.content)
		return err
	}
	f, err := b.open()
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(w, store.NewVerifier(ctxio.NewReader(ctx, f), b.path, b.digest.sum, b.size), buf)
	var mismatch *store.MismatchError
	if errors.As(err, &mismatch) {
		err = fmt.Errorf("%w. "+fixHint, err)
	}
	return err
}

const fixHint = "Fix: build the image again"

func (b *blob) open() (*os.File, error) {
	f, size, err := ocilayout.OpenRegular(b.path, math.MaxInt64)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("missing blob %s: %w. "+fixHint, b.digest, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading layout: %w", err)
	}
	if size != b.size {
		return nil, errors.Join(fmt.Errorf("reading %q: want %d bytes, got %d. "+fixHint, b.path, b.size, size), f.Close())
	}
	return f, nil
}

// readJSON parses oci-layout or index.json.
func readJSON(file string, v any) error {
	f, _, err := ocilayout.OpenRegular(file, maxDocument)
	if err != nil {
		return fmt.Errorf("reading layout: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxDocument))
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return fmt.Errorf("reading %q: %w", file, err)
	}
	return nil
}
