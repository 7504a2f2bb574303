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

// LayerWriter writes the blob of a layer to a path: a copy or a link, as the caller
// of [WriteImage] or [WriteIndex] needs it.
type LayerWriter func(digest, path string) error

// WriteImage writes the layout of a single-platform image into an empty directory.
func WriteImage(dir string, image Image, write LayerWriter) error {
	index := obj(member{"schemaVersion", num(2)}, member{"mediaType", str(MediaTypeIndex)}, member{"manifests", arr(image.Manifest.descriptor())})
	return errors.Join(
		MakeDirs(dir),
		writeFile(dir, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)),
		writeFile(dir, "index.json", index.document()),
		writeImageBlobs(dir, image, write))
}

// WriteIndex writes the layout of an index and its images into an empty directory.
// As with rules_oci, oci-layout and index.json differ from those of an image.
func WriteIndex(dir string, index Blob, images []Image, write LayerWriter) error {
	desc := obj(member{"mediaType", str(index.MediaType)}, member{"size", num(int64(len(index.Bytes)))}, member{"digest", str(index.Digest)})
	errs := []error{
		MakeDirs(dir),
		writeFile(dir, "oci-layout", []byte("{\"imageLayoutVersion\": \"1.0.0\"}\n")),
		writeFile(dir, "index.json", obj(member{"manifests", arr(desc)}).document()),
		writeFile(dir, blobName(index.Digest), index.Bytes),
	}
	for _, image := range images {
		errs = append(errs, writeImageBlobs(dir, image, write))
	}
	return errors.Join(errs...)
}

func writeImageBlobs(dir string, image Image, write LayerWriter) error {
	errs := []error{
		writeFile(dir, blobName(image.Manifest.Digest), image.Manifest.Bytes),
		writeFile(dir, blobName(image.Config.Digest), image.Config.Bytes),
	}
	for _, l := range image.Layers {
		path := BlobPath(dir, l.Digest)
		switch _, err := os.Lstat(path); {
		case err == nil: // images of an index may share layers
		case errors.Is(err, fs.ErrNotExist):
			errs = append(errs, write(l.Digest, path))
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// CopyLayers returns a LayerWriter that copies layers from what open returns.
func CopyLayers(open func(digest string) (io.ReadCloser, error)) LayerWriter {
	return func(digest, path string) (err error) {
		defer func() {
			if err != nil {
				err = fmt.Errorf("copying layer %s: %w", digest, err)
			}
		}()
		in, err := open(digest)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.Create(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Chmod(0o644), out.Close())
	}
}

// CopyLayerFiles returns a LayerWriter that copies layers from files.
func CopyLayerFiles(path func(digest string) string) LayerWriter {
	return CopyLayers(func(digest string) (io.ReadCloser, error) { return os.Open(path(digest)) })
}

// Image returns the base image, unchanged, for [WriteImage] and [WriteIndex].
func (b *Base) Image() Image {
	return Image{newBlob(b.MediaType, b.Manifest), newBlob(b.ConfigDescriptor.MediaType, b.Config), b.Layers, platformOf(b.config)}
}

// ReadBase reads a single-platform layout for use as a base image or in an index.
// It does not read the layers.
func ReadBase(dir string) (*Base, error) {
	b, err := readBase(dir)
	if err != nil {
		return nil, fmt.Errorf("reading layout %q: %w", dir, err)
	}
	return b, nil
}

func readBase(dir string) (*Base, error) {
	raw, err := readDocument(filepath.Join(dir, "index.json"))
	if err != nil {
		return nil, err
	}
	top, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	manifests := top.get("manifests").items
	if len(manifests) != 1 {
		return nil, fmt.Errorf("want one manifest, got %d", len(manifests))
	}
	digest, err := parseDigest(manifests[0].get("digest"))
	if err != nil {
		return nil, err
	}
	if raw, err = readDocument(BlobPath(dir, "sha256:"+digest.String())); err != nil {
		return nil, err
	}
	if got := newBlob("", raw).Digest; got != "sha256:"+digest.String() {
		return nil, fmt.Errorf("want manifest %s, got %s", digest, got)
	}
	manifest, err := ReadBaseManifest(raw)
	if err != nil {
		return nil, err
	}
	if raw, err = readDocument(BlobPath(dir, "sha256:"+manifest.ConfigDescriptor.Digest.String())); err != nil {
		return nil, err
	}
	return manifest.WithConfig(raw)
}

func readDocument(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, MaxDocument+1))
	if err == nil && len(raw) > MaxDocument {
		err = fmt.Errorf("want at most %d bytes in %q", MaxDocument, path)
	}
	return raw, err
}

// BlobPath returns the path of a blob in a layout.
func BlobPath(dir, digest string) string { return filepath.Join(dir, blobName(digest)) }

func blobName(digest string) string {
	return filepath.Join("blobs", strings.Replace(digest, ":", "/", 1))
}

// MakeDirs makes the directories of a layout, with modes independent of the umask.
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
	path := filepath.Join(dir, name)
	if err := errors.Join(os.WriteFile(path, b, 0o644), os.Chmod(path, 0o644)); err != nil {
		return fmt.Errorf("writing layout: %w", err)
	}
	return nil
}
