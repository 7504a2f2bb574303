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
	"github.com/hyperkube/hyperkube/tools/internal/kube/binary"
	"github.com/hyperkube/hyperkube/versions"
)

// layer wants what the catalog says of it, and nothing besides.
func (l *look) layer(ctx context.Context, platform versions.Platform, want versions.Layer, layer v1.Layer) (err error) {
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	t := tar.NewReader(content)
	if len(want.Symlinks) == 0 {
		if err := file(ctx, t, want); err != nil {
			return err
		}
		l.findings = append(l.findings, Finding{platform, want.Path, want.Pin.FileKey.String()})
	}
	for _, link := range want.Symlinks {
		h, err := next(t, link.Path, 0o777)
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeSymlink || h.Linkname != link.Target {
			return fmt.Errorf("%s: want a symlink to %q, got type %q to %q", link.Path, link.Target, h.Typeflag, h.Linkname)
		}
		l.findings = append(l.findings, Finding{platform, link.Path, "-> " + link.Target})
	}
	if h, err := t.Next(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("want nothing more, got %v, %v", h, err)
	}
	return nil
}

// next reads a header and holds all of it that could differ from one build to
// another to what layers here have.
func next(t *tar.Reader, path string, mode int64) (*tar.Header, error) {
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
		return nil, fmt.Errorf("%s: want it owned by 0:0, got %d:%d (%q:%q)", path, h.Uid, h.Gid, h.Uname, h.Gname)
	case h.ModTime.Unix() != 0:
		return nil, fmt.Errorf("%s: want modification time 0, got %v", path, h.ModTime)
	}
	return h, nil
}

// file wants the one file of a layer: the pinned bytes, which are the program
// that the pin is named for.
func file(ctx context.Context, t *tar.Reader, want versions.Layer) (err error) {
	h, err := next(t, want.Path, want.Mode)
	if err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return fmt.Errorf("%s: want a regular file, got type %q", want.Path, h.Typeflag)
	}
	// On disk, since programs are read back and forth.
	tmp, err := os.CreateTemp("", "hyperkube-inspect-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name())) }()
	sum := sha256.New()
	stop := context.AfterFunc(ctx, func() { tmp.Close() })
	defer stop()
	if _, err := io.Copy(io.MultiWriter(tmp, sum), t); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)); got != want.Pin.SHA256.String() {
		return fmt.Errorf("%s: want sha256 %s of %s, got %s", want.Path, want.Pin.SHA256, want.Pin.FileKey, got)
	}
	return binary.Check(tmp, want.Pin.FileKey)
}
