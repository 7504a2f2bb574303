package verify

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/kube/binary"
	"github.com/hyperkube/hyperkube/versions"
)

// Bounds of uncompressed layers in bytes.
const (
	// maxFile is that of a file whose pin has no size.
	maxFile = 1 << 30
	// maxBaseLayer is that of a layer of a base image, whose digest is pinned.
	maxBaseLayer = 16 << 30
	// padding is that of everything but a file's content.
	padding = 1 << 20
)

// maxSize returns the bound of a layer.
func maxSize(want versions.Layer) int64 {
	if want.Pin == (versions.Pin{}) {
		return padding
	}
	return cmp.Or(want.Pin.Size, maxFile) + padding
}

// checkLayer checks that a layer has the digests of its descriptors, the file or
// symlinks of the catalog, and no other entries. It returns the diffID.
func (i *inspector) checkLayer(ctx context.Context, platform versions.Platform, want versions.Layer, layer v1.Layer) (v1.Hash, error) {
	var entries error // reported if the digests are right
	diffID, err := checkBlob(ctx, layer, maxSize(want), func(r io.Reader) error {
		entries = i.checkEntries(tar.NewReader(r), platform, want)
		if errors.Is(entries, errTooLarge) {
			return entries
		}
		return nil
	})
	if err != nil {
		return diffID, err
	}
	if entries == nil && want.Pin != (versions.Pin{}) {
		entries = checkBinary(ctx, layer, want.Pin)
	}
	return diffID, entries
}

// errTooLarge is the error of a file that is larger than its bound.
var errTooLarge = errors.New("file too large")

// checkEntries checks the entries of a layer.
func (i *inspector) checkEntries(t *tar.Reader, platform versions.Platform, want versions.Layer) error {
	switch {
	case want.Pinned != nil:
		if err := checkPins(t, want); err != nil {
			return err
		}
		i.findings = append(i.findings, Finding{platform, want.Path, fmt.Sprintf("%d pins", len(want.Pinned))})
	case len(want.Symlinks) == 0:
		if err := checkFile(t, want); err != nil {
			return err
		}
		i.findings = append(i.findings, Finding{platform, want.Path, want.Pin.FileKey.String()})
	}
	for _, link := range want.Symlinks {
		h, err := nextHeader(t, link.Path, 0o777)
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeSymlink || h.Linkname != link.Target {
			return fmt.Errorf("%s: want a symlink to %q, got type %q to %q", link.Path, link.Target, h.Typeflag, h.Linkname)
		}
		i.findings = append(i.findings, Finding{platform, link.Path, "-> " + link.Target})
	}
	if h, err := t.Next(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("want no more entries, got %v, %v", h, err)
	}
	return nil
}

// nextHeader reads the next header and checks every field that could differ
// between two builds.
func nextHeader(t *tar.Reader, path string, mode int64) (*tar.Header, error) {
	h, err := t.Next()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case "/"+h.Name != path:
		return nil, fmt.Errorf("want %s, got %q", path, h.Name)
	case h.Mode != mode:
		return nil, fmt.Errorf("%s: want mode %04o, got %04o", path, mode, h.Mode)
	case h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "":
		return nil, fmt.Errorf("%s: want owner 0:0, got %d:%d (%q:%q)", path, h.Uid, h.Gid, h.Uname, h.Gname)
	case h.ModTime.Unix() != 0:
		return nil, fmt.Errorf("%s: want modification time 0, got %v", path, h.ModTime)
	}
	return h, nil
}

// checkFile checks that the next entry has the pinned bytes.
func checkFile(t *tar.Reader, want versions.Layer) error {
	h, err := nextHeader(t, want.Path, want.Mode)
	if err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return fmt.Errorf("%s: want a regular file, got type %q", want.Path, h.Typeflag)
	}
	switch size := want.Pin.Size; {
	case size > 0 && h.Size != size:
		return fmt.Errorf("%s: %w: want %d bytes of %s, got %d", want.Path, errTooLarge, size, want.Pin.FileKey, h.Size)
	case h.Size > maxFile:
		return fmt.Errorf("%s: %w: want at most %d bytes, got %d", want.Path, errTooLarge, maxFile, h.Size)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, t); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)); got != want.Pin.SHA256.String() {
		return fmt.Errorf("%s: want sha256 %s of %s, got %s", want.Path, want.Pin.SHA256, want.Pin.FileKey, got)
	}
	return nil
}

// checkPins checks that the next entry is the file of pins. Its padding bounds it.
func checkPins(t *tar.Reader, want versions.Layer) error {
	h, err := nextHeader(t, want.Path, want.Mode)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(t)
	if err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg || !bytes.Equal(got, want.PinsFile()) {
		return fmt.Errorf("%s: want a file with %d pins of the image, got type %q, %d bytes", want.Path, len(want.Pinned), h.Typeflag, len(got))
	}
	return nil
}

// checkBinary checks that the file of a layer, which has the pinned bytes, is the
// binary that the pin is named after. Package binary needs random access and so a
// temporary file. No other bytes than the pinned ones are written to it.
func checkBinary(ctx context.Context, layer v1.Layer, pin versions.Pin) (err error) {
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	t := tar.NewReader(&boundedReader{r: ctxio.NewReader(ctx, content), limit: cmp.Or(pin.Size, maxFile) + padding})
	if _, err := t.Next(); err != nil {
		return err
	}
	tmp, err := os.CreateTemp("", "hyperkube-verify-")
	if err != nil {
		return incomplete{err}
	}
	defer func() { err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name())) }()
	if _, err := io.Copy(tmp, t); err != nil {
		return incomplete{err}
	}
	return binary.Check(tmp, pin.FileKey)
}
