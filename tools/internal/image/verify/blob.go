package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// named wants a manifest or an index to be what it is called by.
func named(what interface{ Digest() (v1.Hash, error) }, want v1.Hash) error {
	got, err := what.Digest()
	if err == nil && got != want {
		err = fmt.Errorf("want %s, got %s", want, got)
	}
	return err
}

// whole reads a layer as it is stored, which must have the digest and the size
// of the manifest, and as it unpacks, which must have the diffID of the
// configuration.
func whole(ctx context.Context, layer v1.Layer) (v1.Hash, error) {
	digest, err := layer.Digest()
	if err != nil {
		return v1.Hash{}, err
	}
	size, err := layer.Size()
	if err != nil {
		return v1.Hash{}, err
	}
	diffID, err := layer.DiffID()
	if err != nil {
		return v1.Hash{}, err
	}
	got, n, err := sum(ctx, layer.Compressed)
	if err != nil {
		return v1.Hash{}, err
	}
	if got != digest || n != size {
		return v1.Hash{}, fmt.Errorf("want %s of %d bytes, got %s of %d", digest, size, got, n)
	}
	if got, _, err = sum(ctx, layer.Uncompressed); err != nil {
		return v1.Hash{}, err
	}
	if got != diffID {
		return v1.Hash{}, fmt.Errorf("it unpacks to %s, want diffID %s", got, diffID)
	}
	return diffID, nil
}

func sum(ctx context.Context, open func() (io.ReadCloser, error)) (_ v1.Hash, n int64, err error) {
	r, err := open()
	if err != nil {
		return v1.Hash{}, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	h := sha256.New()
	for err == nil {
		var more int64
		more, err = io.CopyN(h, r, 1<<20)
		n += more
		if err == nil {
			err = ctx.Err()
		}
	}
	if !errors.Is(err, io.EOF) {
		return v1.Hash{}, n, err
	}
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", h.Sum(nil))}, n, nil
}
