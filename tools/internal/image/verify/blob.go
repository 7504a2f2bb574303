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
// returns the diffID.
func checkBlob(ctx context.Context, layer v1.Layer) (v1.Hash, error) {
	digest, err1 := layer.Digest()
	size, err2 := layer.Size()
	diffID, err3 := layer.DiffID()
	if err := errors.Join(err1, err2, err3); err != nil {
		return v1.Hash{}, err
	}
	got, n, err := hash(ctx, layer.Compressed)
	if err != nil {
		return v1.Hash{}, err
	}
	if got != digest || n != size {
		return v1.Hash{}, fmt.Errorf("want %s of %d bytes, got %s of %d", digest, size, got, n)
	}
	if got, _, err = hash(ctx, layer.Uncompressed); err != nil {
		return v1.Hash{}, err
	}
	if got != diffID {
		return v1.Hash{}, fmt.Errorf("want diffID %s, got %s", diffID, got)
	}
	return diffID, nil
}

// hash reads what open returns to the end, and returns its sha256 and size.
func hash(ctx context.Context, open func() (io.ReadCloser, error)) (_ v1.Hash, n int64, err error) {
	r, err := open()
	if err != nil {
		return v1.Hash{}, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	h := sha256.New()
	n, err = io.Copy(h, ctxio.NewReader(ctx, r))
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", h.Sum(nil))}, n, err
}
