package verify

import (
	"archive/tar"
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

// checkLayer checks that a layer has the file or symlinks of the catalog, and no
// other entries.
func (i *inspector) checkLayer(ctx context.Context, platform versions.Platform, want versions.Layer, layer v1.Layer) (err error) {
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	t := tar.NewReader(content)
	if len(want.Symlinks) == 0 {
		if err := checkFile(ctx, t, want); err != nil {
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

// checkFile checks that the next entry has the pinned bytes, and that they are
// the binary that the pin is named after.
func checkFile(ctx context.Context, t *tar.Reader, want versions.Layer) (err error) {
	h, err := nextHeader(t, want.Path, want.Mode)
	if err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return fmt.Errorf("%s: want a regular file, got type %q", want.Path, h.Typeflag)
	}
	// A temporary file, since package binary needs random access.
	tmp, err := os.CreateTemp("", "hyperkube-verify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name())) }()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(tmp, sum), ctxio.NewReader(ctx, t)); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)); got != want.Pin.SHA256.String() {
		return fmt.Errorf("%s: want sha256 %s of %s, got %s", want.Path, want.Pin.SHA256, want.Pin.FileKey, got)
	}
	return binary.Check(tmp, want.Pin.FileKey)
}
