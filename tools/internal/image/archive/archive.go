// Package archive writes images into one file that docker, podman,
// containerd and skopeo read, and tells by the beginning of such a file what is
// in it. docs/saved-images.md describes the file.
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

// Image is an image that lies in a folder as an OCI layout.
type Image struct {
	Name string // in full: REGISTRY/REPOSITORY:TAG
	Dir  string
}

// ParseImage reads "NAME=DIR".
func ParseImage(s string) (Image, error) {
	name, dir, ok := strings.Cut(s, "=")
	if !ok || dir == "" {
		return Image{}, fmt.Errorf("%q is not of the form NAME=DIR", s)
	}
	return Image{name, dir}, CheckName(name)
}

// namePattern has what every reader takes for a repository and a tag; the
// library of [CheckName] knows a registry.
var namePattern = regexp.MustCompile(`^[^/]+(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// CheckName wants a name that means the same to every reader. They do not agree
// on what stands for a registry or a tag that is left out.
func CheckName(s string) error {
	_, err := name.NewTag(s, name.StrictValidation)
	if err == nil && !namePattern.MatchString(s) {
		err = errors.New("want a repository of lower-case letters, digits and single separators")
	}
	if err != nil {
		return fmt.Errorf("%q is not a name like registry.example/repository:tag: %w", s, err)
	}
	return nil
}

// Archive is a file that can be written: its documents are read and checked,
// and its layers are there, but not read yet.
type Archive struct {
	Contents Contents
	raw      []byte // Contents, as they are written
	files    []file // what follows them, in order
}

// file is an entry of the tar. Its bytes are at hand, or those of a blob.
type file struct {
	name    string
	content []byte
	blob    *blob
}

func (f file) size() int64 {
	if f.blob != nil {
		return f.blob.size
	}
	return int64(len(f.content))
}

// New reads the images' layouts. Where platforms are named, the archive has
// those alone, and every image must have each of them; the first one is what
// docker gets. The order of the images has no influence.
func New(images []Image, platforms []string) (*Archive, error) {
	if len(images) == 0 {
		return nil, errors.New("composing an archive: there are no images")
	}
	for i, p := range platforms {
		if slices.Contains(platforms[:i], p) {
			return nil, fmt.Errorf("composing an archive: platform %q is named twice", p)
		}
	}
	images = slices.SortedFunc(slices.Values(images), func(a, b Image) int { return strings.Compare(a.Name, b.Name) })
	r := newReader(platforms)
	var errs []error
	var read []layout
	for i, image := range images {
		if i > 0 && image.Name == images[i-1].Name {
			errs = append(errs, fmt.Errorf("there are two images %q", image.Name))
			continue
		}
		l, err := r.read(image)
		if err != nil {
			err = fmt.Errorf("image %q: %w", image.Name, err)
		}
		read, errs = append(read, l), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("composing an archive: %w", err)
	}
	return compose(read, r.blobs())
}

func compose(images []layout, blobs []*blob) (*Archive, error) {
	index, err1 := json.Marshal(ociIndex(images))
	docker, err2 := json.Marshal(dockerManifest(images))
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("composing an archive: %w", err)
	}
	a := &Archive{files: []file{
		{name: "oci-layout", content: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{name: "index.json", content: index},
		{name: "manifest.json", content: docker},
	}}
	for _, b := range blobs {
		a.files = append(a.files, file{name: blobName(b.digest), blob: b})
	}
	a.Contents.Schema = schema
	for _, l := range images {
		a.Contents.Images = append(a.Contents.Images, l.ImageContents)
	}
	return a, a.place()
}

// place finds where every blob comes to lie. That depends on the length of the
// contents, which depends on the digits of the places: they only ever grow with
// it, so this comes to an end.
func (a *Archive) place() error {
	for {
		at := blocks(int64(len(a.raw)))
		a.Contents.Blobs = nil
		for _, f := range a.files {
			if f.blob != nil {
				a.Contents.Blobs = append(a.Contents.Blobs, BlobContents{f.blob.digest, f.blob.size, at + block})
			}
			at += blocks(f.size())
		}
		a.Contents.Size = at + trailer
		raw, err := json.MarshalIndent(a.Contents, "", " ")
		if err != nil {
			return fmt.Errorf("composing an archive: %w", err)
		}
		raw = append(raw, '\n')
		if len(raw) > maxContents {
			return fmt.Errorf("composing an archive: its contents take %d bytes, more than %d: make several archives", len(raw), maxContents)
		}
		if bytes.Equal(raw, a.raw) {
			return nil
		}
		a.raw = raw
	}
}

const (
	block   = 512       // what tar counts in
	trailer = 2 * block // the end of a tar
)

// blocks is the room that an entry of that size takes, with its header.
func blocks(size int64) int64 { return block + (size+block-1)/block*block }

// Write writes the file, and calls written with the numbers of bytes of the tar
// as they come. An error means that what was written is of no use.
func (a *Archive) Write(ctx context.Context, w io.Writer, c Compression, written func(n int64)) error {
	out, err := newCompressor(w, c)
	if err != nil {
		return err
	}
	err = a.writeTar(ctx, out, written)
	// Closed in any case, or its goroutines would stay.
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("writing an archive: %w", err)
	}
	return nil
}

func (a *Archive) writeTar(ctx context.Context, w compressor, written func(int64)) error {
	t := tar.NewWriter(&counter{w, written})
	if err := writeEntry(ctx, t, file{name: ContentsFile, content: a.raw}, nil); err != nil {
		return err
	}
	if err := errors.Join(t.Flush(), w.Flush()); err != nil {
		return err
	}
	buf := make([]byte, chunk)
	for _, f := range a.files {
		if err := writeEntry(ctx, t, f, buf); err != nil {
			return err
		}
	}
	return t.Close()
}

// writeEntry writes plain USTAR, with every field that a clock, a user or a
// machine could fill at zero.
func writeEntry(ctx context.Context, t *tar.Writer, f file, buf []byte) error {
	err := t.WriteHeader(&tar.Header{
		Format: tar.FormatUSTAR, Typeflag: tar.TypeReg, Name: f.name, Mode: 0o644, Size: f.size(),
	})
	if err != nil {
		return err
	}
	if f.blob != nil {
		return f.blob.copyTo(ctx, t, buf)
	}
	_, err = t.Write(f.content)
	return err
}

type counter struct {
	w       io.Writer
	written func(int64)
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if c.written != nil {
		c.written(int64(n))
	}
	return n, err
}
