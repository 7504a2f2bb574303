package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
)

// checkDigest compares the digest of a manifest's or index's bytes with the one
// that a descriptor refers to it by.
func checkDigest(document interface{ Digest() (v1.Hash, error) }, want v1.Hash) error {
	got, err := document.Digest()
	if err == nil && got != want {
		err = fmt.Errorf("want %s, got %s", want, got)
	}
	return err
}

// checkBlob reads a layer twice: the compressed bytes must have the digest and
// size of the manifest, the uncompressed bytes the diffID of the config. It
// returns the diffID. Read, unless nil, reads the uncompressed bytes meanwhile.
// Neither reads more than limit uncompressed bytes.
func checkBlob(ctx context.Context, layer v1.Layer, limit int64, read func(io.Reader) error) (v1.Hash, error) {
	digest, err1 := layer.Digest()
	size, err2 := layer.Size()
	diffID, err3 := layer.DiffID()
	if err := errors.Join(err1, err2, err3); err != nil {
		return v1.Hash{}, err
	}
	got, n, err := hash(ctx, layer.Compressed, size, nil)
	if err != nil {
		return v1.Hash{}, err
	}
	if got != digest || n != size {
		return v1.Hash{}, fmt.Errorf("want %s of %d bytes, got %s of %d", digest, size, got, n)
	}
	if got, _, err = hash(ctx, layer.Uncompressed, limit, read); err != nil {
		return v1.Hash{}, err
	}
	if got != diffID {
		return v1.Hash{}, fmt.Errorf("want diffID %s, got %s", diffID, got)
	}
	return diffID, nil
}

// hash reads what open returns to the end, and returns its sha256 and size. More
// than limit bytes are an error. Read, unless nil, reads the same bytes; its
// error ends the reading.
func hash(ctx context.Context, open func() (io.ReadCloser, error), limit int64, read func(io.Reader) error) (_ v1.Hash, _ int64, err error) {
	r, err := open()
	if err != nil {
		return v1.Hash{}, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	h := sha256.New()
	b := &boundedReader{r: ctxio.NewReader(ctx, r), limit: limit}
	all := io.TeeReader(b, h)
	if read != nil {
		if err := read(all); err != nil {
			return v1.Hash{}, b.n, err
		}
	}
	if _, err := io.Copy(io.Discard, all); err != nil {
		return v1.Hash{}, b.n, err
	}
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", h.Sum(nil))}, b.n, nil
}

// boundedReader reads at most limit bytes.
type boundedReader struct {
	r        io.Reader
	n, limit int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n += int64(n); b.n > b.limit {
		return 0, fmt.Errorf("want at most %d bytes, got more", b.limit)
	}
	return n, err
}
