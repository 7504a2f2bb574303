package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place puts the bytes of one layer into a layout: a copy, a link, as the
// caller likes.
type Place func(digest, to string) error

// WriteImage lays an image out in an empty folder.
func WriteImage(dir string, m Manifest, place Place) error {
	index, err := document(MediaTypeIndex, indexJSON{
		SchemaVersion: 2, MediaType: MediaTypeIndex,
		Manifests: []manifestEntry{{m.MediaType, m.Digest, len(m.Bytes), nil}},
	})
	if err != nil {
		return err
	}
	return errors.Join(
		MakeFolders(dir),
		writeFile(dir, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)),
		writeFile(dir, "index.json", index.Bytes),
		writeImageBlobs(dir, m, place))
}

// WriteIndex lays an index and its images out in an empty folder.
func WriteIndex(dir string, index Blob, images []Manifest, place Place) error {
	type entry struct {
		MediaType string `json:"mediaType"`
		Size      int    `json:"size"`
		Digest    string `json:"digest"`
	}
	top, err := document(MediaTypeIndex, map[string][]entry{
		"manifests": {{index.MediaType, len(index.Bytes), index.Digest}},
	})
	if err != nil {
		return err
	}
	errs := []error{
		MakeFolders(dir),
		writeFile(dir, "oci-layout", []byte("{\"imageLayoutVersion\": \"1.0.0\"}\n")),
		writeFile(dir, "index.json", top.Bytes),
		writeFile(dir, blobPath(index.Digest), index.Bytes),
	}
	for _, m := range images {
		errs = append(errs, writeImageBlobs(dir, m, place))
	}
	return errors.Join(errs...)
}

func writeImageBlobs(dir string, m Manifest, place Place) error {
	errs := []error{
		writeFile(dir, blobPath(m.Digest), m.Bytes),
		writeFile(dir, blobPath(m.Config.Digest), m.Config.Bytes),
	}
	for _, l := range m.Image.Layers {
		to := filepath.Join(dir, blobPath(l.Digest))
		switch _, err := os.Lstat(to); {
		case err == nil: // another image of the index has it too
		case errors.Is(err, fs.ErrNotExist):
			errs = append(errs, place(l.Digest, to))
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Copy returns a Place that copies each layer from the file that from names.
func Copy(from func(digest string) string) Place {
	return func(digest, to string) (err error) {
		in, err := os.Open(from(digest))
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

// ReadImage reads back an image that [WriteImage] laid out: what an index is
// composed of. Only the layers' digests are known of them then.
func ReadImage(dir string) (Manifest, error) {
	var m Manifest
	var top indexJSON
	if _, err := readJSON(filepath.Join(dir, "index.json"), &top); err != nil {
		return m, err
	}
	if len(top.Manifests) != 1 {
		return m, fmt.Errorf("reading layout %q: want one manifest, got %d", dir, len(top.Manifests))
	}
	var manifest struct {
		Config configRef   `json:"config"`
		Layers []layerJSON `json:"layers"`
	}
	raw, err := readJSON(filepath.Join(dir, blobPath(top.Manifests[0].Digest)), &manifest)
	if err != nil {
		return m, err
	}
	m.Blob = newBlob(MediaTypeManifest, raw)
	var config struct {
		Architecture string `json:"architecture"`
		OS           string `json:"os"`
	}
	raw, err = readJSON(filepath.Join(dir, blobPath(manifest.Config.Digest)), &config)
	if err != nil {
		return m, err
	}
	m.Config = newBlob(MediaTypeConfig, raw)
	m.Image.OS, m.Image.Arch = config.OS, config.Architecture
	for _, l := range manifest.Layers {
		var layer Layer
		layer.Digest, layer.Size, layer.MediaType = l.Digest, l.Size, l.MediaType
		m.Image.Layers = append(m.Image.Layers, layer)
	}
	return m, nil
}

// LayerFile returns where a layer of the image laid out in dir is.
func LayerFile(dir, digest string) string { return filepath.Join(dir, blobPath(digest)) }

// maxDocument bounds what is read of a layout's documents, in bytes.
const maxDocument = 4 << 20

func readJSON(file string, to any) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading layout: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxDocument))
	if err != nil {
		return nil, fmt.Errorf("reading layout: %w", err)
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return nil, fmt.Errorf("reading layout %q: %w", file, err)
	}
	return raw, nil
}

func blobPath(digest string) string {
	return filepath.Join("blobs", strings.Replace(digest, ":", "/", 1))
}

// MakeFolders makes the folders of a layout, with modes that no umask changes.
func MakeFolders(dir string) error {
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
