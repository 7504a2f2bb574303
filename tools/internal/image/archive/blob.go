package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/store"
	"golang.org/x/sys/unix"
)

const (
	// maxDocument bounds indexes, manifests and configs, which are kept in
	// memory, in bytes.
	maxDocument = 4 << 20
	// maxBlob is what a header of plain tar can say.
	maxBlob = 8<<30 - 1
	// chunk is how many bytes travel at a time.
	chunk = 1 << 20
)

// blob is a file of a layout whose name is its digest.
type blob struct {
	digest  Digest
	size    int64
	file    string
	content []byte // of documents
}

// blobName is where a blob is, in a layout as in an archive.
func blobName(d Digest) string { return path.Join("blobs", "sha256", d.sum.String()) }

func newBlob(dir string, d descriptor) (*blob, error) {
	if d.Digest == (Digest{}) {
		return nil, errors.New("it is named without a digest")
	}
	if d.Size < 0 || d.Size > maxBlob {
		return nil, fmt.Errorf("blob %s: want up to %d bytes, got %d", d.Digest, int64(maxBlob), d.Size)
	}
	return &blob{digest: d.Digest, size: d.Size, file: filepath.Join(dir, filepath.FromSlash(blobName(d.Digest)))}, nil
}

// look says whether the blob is there, in the right size.
func (b *blob) look() error {
	f, err := b.open()
	if err != nil {
		return err
	}
	return f.Close()
}

// load reads a document into memory.
func (b *blob) load() error {
	if b.size > maxDocument {
		return fmt.Errorf("blob %s: want a document of up to %d bytes, got %d", b.digest, maxDocument, b.size)
	}
	var to bytes.Buffer
	if err := b.copyTo(context.Background(), &to, make([]byte, b.size+1)); err != nil {
		return err
	}
	b.content = to.Bytes()
	return nil
}

// copyTo copies the blob, and fails at the end where its bytes are others than
// its digest says.
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
	r := store.NewVerifier(f, b.file, b.digest.sum, b.size)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		if err != nil && err != io.EOF {
			return fmt.Errorf("%w; build the image again", err)
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (b *blob) open() (*os.File, error) {
	f, size, err := openRegular(b.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("blob %s is missing: %w; build the image again", b.digest, err)
	}
	if err != nil {
		return nil, err
	}
	if size != b.size {
		return nil, errors.Join(fmt.Errorf("reading %q: want %d bytes, got %d; build the image again", b.file, b.size, size), f.Close())
	}
	return f, nil
}

// openRegular opens a file, through links: Bazel's layouts and sandboxes are
// made of them. What is no regular file at their end is refused; opening must
// not wait for the other end of a pipe to find out.
func openRegular(file string) (*os.File, int64, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("reading a layout: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q is not a regular file", file)
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("reading a layout: %w", err), f.Close())
	}
	return f, info.Size(), nil
}

// readJSON reads one of the two files of a layout that have no digest.
func readJSON(file string, to any) error {
	f, size, err := openRegular(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if size > maxDocument {
		return fmt.Errorf("reading %q: want up to %d bytes, got %d", file, maxDocument, size)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxDocument))
	if err != nil {
		return fmt.Errorf("reading %q: %w", file, err)
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("reading %q: %w", file, err)
	}
	return nil
}
