package inspect

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/decompress"
)

// Bounds of an archive.
const (
	maxArchiveEntries = 100_000
	maxDocuments      = 32 << 20 // bytes of all documents, which are kept in memory
)

// Archive inspects all images of a saved archive: an OCI layout in a tar, or the format
// of docker save. It may be compressed. It is read once, from the beginning to the end.
func Archive(ctx context.Context, file string, o Options) (Report, error) {
	f, err := ctxio.Open(ctx, file)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	a := newArchive()
	if err := a.read(ctx, o.scanner(), f); err != nil {
		return Report{}, fmt.Errorf("reading archive %q: %w", file, err)
	}
	roots, err := a.roots()
	if err != nil {
		return Report{}, fmt.Errorf("reading archive %q: %w", file, err)
	}
	return inspectAll(ctx, file, o, a, roots)
}

// archive is the source of an archive. Names are those of the tar.
type archive struct {
	documents map[string][]byte
	size      int // of all documents
	layers    map[string]*layer
	aliases   map[string]string // links
}

func newArchive() *archive {
	return &archive{documents: map[string][]byte{}, layers: map[string]*layer{}, aliases: map[string]string{}}
}

func (a *archive) read(ctx context.Context, s scanner, r io.Reader) error {
	content, _, err := decompress.NewReader(ctxio.NewReader(ctx, r))
	if err != nil {
		return err
	}
	defer content.Close()
	t := tar.NewReader(content)
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && n == 0:
			return fmt.Errorf("want a tar archive of images: %w. Fix: for a single file, run hk explain", err)
		case err != nil:
			return err
		case n == maxArchiveEntries:
			return fmt.Errorf("want at most %d entries, got more", maxArchiveEntries)
		}
		name := path.Clean("/" + h.Name)[1:]
		switch h.Typeflag {
		case tar.TypeSymlink:
			a.aliases[name] = path.Join("/", path.Dir(name), h.Linkname)[1:]
		case tar.TypeLink:
			a.aliases[name] = path.Clean("/" + h.Linkname)[1:]
		case tar.TypeReg:
			if err := a.add(ctx, s, name, h.Size, t); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
		}
	}
}

// add keeps a document, and scans anything else as a layer.
func (a *archive) add(ctx context.Context, s scanner, name string, size int64, r io.Reader) error {
	first := make([]byte, min(1, size))
	if _, err := io.ReadFull(r, first); err != nil {
		return err
	}
	r = io.MultiReader(bytes.NewReader(first), r)
	if size <= maxDocument && (string(first) == "{" || string(first) == "[") {
		if a.size += int(size); a.size > maxDocuments {
			return fmt.Errorf("want at most %d bytes of documents, got more", maxDocuments)
		}
		raw, err := io.ReadAll(r)
		a.documents[name] = raw
		return err
	}
	if !strings.HasPrefix(name, blobs) && !strings.HasSuffix(name, ".tar") && !strings.HasSuffix(name, ".tar.gz") {
		return nil // such as VERSION
	}
	l, err := s.scan(ctx, r)
	a.layers[name] = l
	return err
}

const blobs = "blobs/sha256/"

// resolve follows the links of an archive. Old versions of docker write a layer that
// two images share once.
func (a *archive) resolve(name string) string {
	for range 8 {
		target, ok := a.aliases[name]
		if !ok {
			break
		}
		name = target
	}
	return name
}

// roots returns the images of index.json, or of manifest.json of docker.
func (a *archive) roots() ([]root, error) {
	if raw, ok := a.documents["index.json"]; ok {
		var top v1.IndexManifest
		if err := json.Unmarshal(raw, &top); err != nil {
			return nil, fmt.Errorf("index.json: %w", err)
		}
		return roots(top), nil
	}
	raw, ok := a.documents["manifest.json"]
	if !ok {
		return nil, errors.New("want a file index.json or manifest.json, as docker save and hk save write")
	}
	var images []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(raw, &images); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	var all []root
	for n, image := range images {
		m, err := a.dockerManifest(image.Config, image.Layers)
		if err != nil {
			return nil, fmt.Errorf("manifest.json: [%d]: %w", n, err)
		}
		all = append(all, root{names: image.RepoTags, docker: m})
	}
	return all, nil
}

// dockerManifest returns a manifest for an image of docker's format, with the digests
// that its files have. The diffIDs of the config decide whether the layers are right.
func (a *archive) dockerManifest(config string, layers []string) (*v1.Manifest, error) {
	raw, ok := a.documents[a.resolve(config)]
	if !ok {
		return nil, violationf("missing config %q", config)
	}
	digest, size, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	a.documents[blobs+digest.Hex] = raw
	if hex := strings.TrimSuffix(path.Base(config), ".json"); len(hex) == len(digest.Hex) && hex != digest.Hex {
		return nil, violationf("config %q has sha256 %s", config, digest.Hex)
	}
	m := &v1.Manifest{Config: v1.Descriptor{Digest: digest, Size: size, MediaType: types.DockerConfigJSON}}
	for _, name := range layers {
		l, ok := a.layers[a.resolve(name)]
		if !ok {
			return nil, violationf("missing layer %q", name)
		}
		hash, err := v1.NewHash(l.digest)
		if err != nil {
			return nil, violationf("layer %q: %w", name, errors.Join(l.problem, err))
		}
		a.layers[blobs+hash.Hex] = l
		m.Layers = append(m.Layers, v1.Descriptor{Digest: hash, Size: l.size, MediaType: types.DockerLayer})
	}
	return m, nil
}

func (a *archive) document(_ context.Context, d v1.Descriptor) ([]byte, error) {
	raw, ok := a.documents[a.resolve(blobs+d.Digest.Hex)]
	if !ok {
		return nil, violationf("missing blob %s", d.Digest)
	}
	return raw, nil
}

func (a *archive) scan(_ context.Context, _ scanner, d v1.Descriptor) (*layer, error) {
	l, ok := a.layers[a.resolve(blobs+d.Digest.Hex)]
	if !ok {
		return nil, violationf("missing blob %s", d.Digest)
	}
	return l, nil
}
