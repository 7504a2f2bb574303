// Package archive saves images to one tar file that docker, podman, containerd and
// skopeo can load, and lists the images of such a file by its beginning.
// docs/saved-images.md describes the format.
package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Image is an image in an OCI layout.
type Image struct {
	Name string // full name, REGISTRY/REPOSITORY:TAG
	Dir  string // directory of the layout
}

// ParseImage parses "NAME=DIR".
func ParseImage(s string) (Image, error) {
	name, dir, ok := strings.Cut(s, "=")
	if !ok || dir == "" {
		return Image{}, fmt.Errorf("want NAME=DIR, got %q", s)
	}
	return Image{name, dir}, CheckName(name)
}

// namePattern matches the repositories and tags that all readers accept. CheckName
// checks the registry with package name.
var namePattern = regexp.MustCompile(`^[^/]+(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// CheckName checks that a name is complete: readers differ in the defaults for a
// missing registry or tag.
func CheckName(s string) error {
	_, err := name.NewTag(s, name.StrictValidation)
	if err == nil && !namePattern.MatchString(s) {
		err = errors.New("repository must consist of lower-case letters, digits and single separators")
	}
	if err != nil {
		return fmt.Errorf("want a name like registry.example/repository:tag, got %q: %w", s, err)
	}
	return nil
}

// Archive is an archive to write. Indexes, manifests and configs are in memory and
// verified; layers exist, but are not read yet.
type Archive struct {
	Contents Contents
	raw      []byte // Contents as written
	files    []file // entries after the contents, in order
}

// file is an entry of the tar. Only a blob of a layout has a digest.
type file struct {
	name string
	*blob
}

func newFile(name string, content []byte) file {
	return file{name, &blob{size: int64(len(content)), content: content}}
}

// New reads the layouts of images. If platforms are given, the archive has only
// those, every image must have all of them, and docker loads the first one. The
// order of the images does not matter.
func New(images []Image, platforms []string) (*Archive, error) {
	if len(images) == 0 {
		return nil, errors.New("composing archive: want at least one image")
	}
	for i, p := range platforms {
		if slices.Contains(platforms[:i], p) {
			return nil, fmt.Errorf("composing archive: duplicate platform %q", p)
		}
	}
	images = slices.SortedFunc(slices.Values(images), func(a, b Image) int { return strings.Compare(a.Name, b.Name) })
	r := &reader{platforms: platforms, byDigest: map[Digest]*blob{}}
	var errs []error
	var layouts []layout
	for i, image := range images {
		if i > 0 && image.Name == images[i-1].Name {
			errs = append(errs, fmt.Errorf("duplicate image %q", image.Name))
			continue
		}
		l, err := r.read(image)
		if err != nil {
			err = fmt.Errorf("image %q: %w", image.Name, err)
		}
		layouts, errs = append(layouts, l), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("composing archive: %w", err)
	}
	// Streaming readers know the images before they read layers.
	return compose(layouts, slices.Concat(r.documents, r.layers))
}

func compose(images []layout, blobs []*blob) (*Archive, error) {
	index, err1 := json.Marshal(ociIndex(images))
	docker, err2 := json.Marshal(dockerManifest(images))
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("composing archive: %w", err)
	}
	a := &Archive{files: []file{
		newFile("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)),
		newFile("index.json", index),
		newFile("manifest.json", docker),
	}}
	for _, b := range blobs {
		a.files = append(a.files, file{blobName(b.digest), b})
	}
	a.Contents.Schema = schema
	for _, l := range images {
		a.Contents.Images = append(a.Contents.Images, l.ImageContents)
	}
	return a, a.setOffsets()
}

// setOffsets computes the offset of every blob. Offsets depend on the size of the
// contents, which depends on the digits of the offsets. Both only grow, so the loop
// terminates.
func (a *Archive) setOffsets() error {
	for {
		offset := tarSize(int64(len(a.raw)))
		a.Contents.Blobs = nil
		for _, f := range a.files {
			if f.digest != (Digest{}) {
				a.Contents.Blobs = append(a.Contents.Blobs, BlobContents{f.digest, f.size, offset + block})
			}
			offset += tarSize(f.size)
		}
		a.Contents.Size = offset + trailer
		raw, err := json.MarshalIndent(a.Contents, "", " ")
		if err != nil {
			return fmt.Errorf("composing archive: %w", err)
		}
		raw = append(raw, '\n')
		if len(raw) > maxContents {
			return fmt.Errorf("composing archive: want %s of at most %d bytes, got %d. Fix: save fewer images per archive", ContentsFile, maxContents, len(raw))
		}
		if bytes.Equal(raw, a.raw) {
			return nil
		}
		a.raw = raw
	}
}

const (
	block   = 512       // block size of tar
	trailer = 2 * block // end of a tar
)

// tarSize returns the size of an entry in a tar, including header and padding.
func tarSize(size int64) int64 { return block + (size+block-1)/block*block }

// Write writes the archive, and reports the bytes of the tar as they are written,
// unless report is nil. The output is unusable after an error.
func (a *Archive) Write(ctx context.Context, w io.Writer, c Compression, report func(n int64)) error {
	out, err := newCompressor(w, c)
	if err != nil {
		return err
	}
	err = a.writeTar(ctx, out, report)
	// Always close the compressor, to stop its goroutines.
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("writing archive: %w", err)
	}
	return nil
}

func (a *Archive) writeTar(ctx context.Context, w compressor, report func(int64)) error {
	t := tar.NewWriter(io.MultiWriter(w, reporter(report)))
	if err := writeEntry(ctx, t, newFile(ContentsFile, a.raw), nil); err != nil {
		return err
	}
	if err := errors.Join(t.Flush(), w.Flush()); err != nil {
		return err
	}
	buf := make([]byte, chunkSize)
	for _, f := range a.files {
		if err := writeEntry(ctx, t, f, buf); err != nil {
			return err
		}
	}
	return t.Close()
}

// writeEntry writes an entry in USTAR format. All fields that depend on time, user or
// machine are zero.
func writeEntry(ctx context.Context, t *tar.Writer, f file, buf []byte) error {
	err := t.WriteHeader(&tar.Header{
		Format: tar.FormatUSTAR, Typeflag: tar.TypeReg, Name: f.name, Mode: 0o644, Size: f.size,
	})
	if err != nil {
		return err
	}
	return f.copyTo(ctx, t, buf)
}

// reporter reports the bytes written to it, unless it is nil.
type reporter func(n int64)

func (r reporter) Write(p []byte) (int, error) {
	if r != nil {
		r(int64(len(p)))
	}
	return len(p), nil
}
