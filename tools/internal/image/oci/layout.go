package oci

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// LayerWriter puts the bytes of one layer into a layout: a copy, a link, as the
// caller likes.
type LayerWriter func(digest, to string) error

// WriteImage lays an image out in an empty folder.
func WriteImage(dir string, m Manifest, place LayerWriter) error {
	index := obj(member{"schemaVersion", num(2)}, member{"mediaType", str(MediaTypeIndex)}, member{"manifests", strs(nil).push(m.entry())})
	return errors.Join(
		MakeDirs(dir),
		writeFile(dir, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)),
		writeFile(dir, "index.json", index.document()),
		writeImageBlobs(dir, m, place))
}

// WriteIndex lays an index and its images out in an empty folder.
func WriteIndex(dir string, index Blob, images []Manifest, place LayerWriter) error {
	entry := obj(member{"mediaType", str(index.MediaType)}, member{"size", num(int64(len(index.Bytes)))}, member{"digest", str(index.Digest)})
	errs := []error{
		MakeDirs(dir),
		writeFile(dir, "oci-layout", []byte("{\"imageLayoutVersion\": \"1.0.0\"}\n")),
		writeFile(dir, "index.json", obj(member{"manifests", strs(nil).push(entry)}).document()),
		writeFile(dir, blobPath(index.Digest), index.Bytes),
	}
	for _, m := range images {
		errs = append(errs, writeImageBlobs(dir, m, place))
	}
	return errors.Join(errs...)
}

func writeImageBlobs(dir string, m Manifest, place LayerWriter) error {
	errs := []error{
		writeFile(dir, blobPath(m.Digest), m.Bytes),
		writeFile(dir, blobPath(m.Config.Digest), m.Config.Bytes),
	}
	for _, l := range m.Layers {
		to := filepath.Join(dir, blobPath(l.Digest))
		switch _, err := os.Lstat(to); {
		case err == nil: // another image of the index has it too, or its base
		case errors.Is(err, fs.ErrNotExist):
			errs = append(errs, place(l.Digest, to))
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// CopyLayers returns a LayerWriter that copies each layer from what open returns.
func CopyLayers(open func(digest string) (io.ReadCloser, error)) LayerWriter {
	return func(digest, to string) (err error) {
		in, err := open(digest)
		if err != nil {
			return fmt.Errorf("copying layer %s: %w", digest, err)
		}
		defer in.Close()
		out, err := os.Create(to)
		if err != nil {
			return fmt.Errorf("copying layer %s: %w", digest, err)
		}
		_, err = io.Copy(out, in)
		if err := errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
			return fmt.Errorf("copying layer %s: %w", digest, err)
		}
		return nil
	}
}

// image returns the base as an image of its own.
func (b *Base) image() Manifest {
	return Manifest{newBlob(b.MediaType, b.Manifest), newBlob(b.ConfigDescriptor.MediaType, b.Config), b.Layers, platformOf(b.config)}
}

// WriteBase lays a base out in an empty folder, as it is.
func WriteBase(dir string, b *Base, place LayerWriter) error {
	return WriteImage(dir, b.image(), place)
}

// ReadImage reads an image's layout: what an index is composed of.
func ReadImage(dir string) (Manifest, error) {
	b, err := ReadBase(dir)
	if err != nil {
		return Manifest{}, err
	}
	return b.image(), nil
}

// ReadBase reads an image's layout: what another image is composed upon. Its
// layers are not looked at.
func ReadBase(dir string) (*Base, error) {
	fail := func(err error) (*Base, error) { return nil, fmt.Errorf("reading layout %q: %w", dir, err) }
	raw, err := readDocument(filepath.Join(dir, "index.json"))
	if err != nil {
		return fail(err)
	}
	top, err := parse(raw)
	if err != nil {
		return fail(fmt.Errorf("index.json: %w", err))
	}
	manifests := top.get("manifests").items
	if len(manifests) != 1 {
		return fail(fmt.Errorf("want one manifest, got %d", len(manifests)))
	}
	digest, err := readDigest(manifests[0].get("digest"))
	if err != nil {
		return fail(err)
	}
	if raw, err = readDocument(BlobPath(dir, "sha256:"+digest.String())); err != nil {
		return fail(err)
	}
	if got := newBlob("", raw).Digest; got != "sha256:"+digest.String() {
		return fail(fmt.Errorf("want manifest %s, got %s", digest, got))
	}
	manifest, err := ReadBaseManifest(raw)
	if err != nil {
		return fail(err)
	}
	if raw, err = readDocument(BlobPath(dir, "sha256:"+manifest.ConfigDescriptor.Digest.String())); err != nil {
		return fail(err)
	}
	b, err := manifest.WithConfig(raw)
	if err != nil {
		return fail(err)
	}
	return b, nil
}

// BlobPath returns where a layer of the image laid out in dir is.
func BlobPath(dir, digest string) string { return filepath.Join(dir, blobPath(digest)) }

func readDocument(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, MaxDocument+1))
	if err == nil && len(raw) > MaxDocument {
		err = fmt.Errorf("%q has more than the %d bytes allowed", file, MaxDocument)
	}
	return raw, err
}

// OpenFiles opens layers by the names of their files.
func OpenFiles(name func(digest string) string) func(digest string) (io.ReadCloser, error) {
	return func(digest string) (io.ReadCloser, error) { return os.Open(name(digest)) }
}

func blobPath(digest string) string {
	return filepath.Join("blobs", strings.Replace(digest, ":", "/", 1))
}

// MakeDirs makes the folders of a layout, with modes that no umask changes.
func MakeDirs(dir string) error {
	blobs := filepath.Join(dir, "blobs")
	sums := filepath.Join(blobs, "sha256")
	err := errors.Join(os.MkdirAll(sums, 0o755), os.Chmod(blobs, 0o755), os.Chmod(sums, 0o755))
	if err != nil {
		return fmt.Errorf("writing layout: %w", err)
	}
	return nil
}

func writeFile(dir, name string, b []byte) error {
	file := filepath.Join(dir, name)
	if err := errors.Join(os.WriteFile(file, b, 0o644), os.Chmod(file, 0o644)); err != nil {
		return fmt.Errorf("writing layout: %w", err)
	}
	return nil
}
