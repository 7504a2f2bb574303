package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layout is an image read from its OCI layout.
type layout struct {
	ImageContents
	target descriptor // of the index or manifest, as in index.json
}

// Fields of OCI documents that this package reads.
type (
	descriptor struct {
		MediaType types.MediaType `json:"mediaType"`
		Digest    Digest          `json:"digest"`
		Size      int64           `json:"size"`
		Platform  *platform       `json:"platform"`
	}
	platform struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant"`
	}
	indexDocument struct {
		Manifests []descriptor `json:"manifests"`
	}
	manifestDocument struct {
		Config descriptor   `json:"config"`
		Layers []descriptor `json:"layers"`
	}
	configDocument struct {
		platform
		RootFS struct {
			DiffIDs []Digest `json:"diff_ids"`
		} `json:"rootfs"`
	}
)

// String returns "linux/amd64" or "linux/arm/v7".
func (p platform) String() string {
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

var platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$`)

func isPlatform(s string) bool { return platformPattern.MatchString(s) }

// reader reads layouts and collects their blobs.
type reader struct {
	platforms         []string // platforms to read, the one for docker first; empty for all
	byDigest          map[Digest]*blob
	documents, layers []*blob
}

func (r *reader) read(image Image) (layout, error) {
	l := layout{ImageContents: ImageContents{Name: image.Name}}
	if err := CheckName(image.Name); err != nil {
		return l, err
	}
	var version struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := readJSON(filepath.Join(image.Dir, "oci-layout"), &version); err != nil {
		return l, fmt.Errorf("%w; want the directory of an OCI layout", err)
	}
	if version.Version != "1.0.0" {
		return l, fmt.Errorf("reading %q: want layout version 1.0.0, got %q", image.Dir, version.Version)
	}
	var top indexDocument
	if err := readJSON(filepath.Join(image.Dir, "index.json"), &top); err != nil {
		return l, err
	}
	if len(top.Manifests) != 1 {
		return l, fmt.Errorf("reading %q: want one image, got %d", image.Dir, len(top.Manifests))
	}
	l.target = top.Manifests[0]
	l.Digest = l.target.Digest
	manifests := []descriptor{l.target}
	switch {
	case l.target.MediaType.IsImage():
	case l.target.MediaType.IsIndex():
		var index indexDocument
		if err := r.readDocument(image.Dir, l.target, &index); err != nil {
			return l, err
		}
		var err error
		if manifests, err = r.selectManifests(index); err != nil {
			return l, fmt.Errorf("index %s: %w", l.Digest, err)
		}
	default:
		return l, fmt.Errorf("reading %q: want an index or manifest, got media type %q", image.Dir, l.target.MediaType)
	}
	for _, m := range manifests {
		p, err := r.readManifest(image.Dir, m)
		if err != nil {
			return l, fmt.Errorf("manifest %s: %w", m.Digest, err)
		}
		l.Platforms = append(l.Platforms, p)
	}
	return l, r.setDockerPlatform(&l)
}

// selectManifests returns the manifests of an index to include in the archive.
func (r *reader) selectManifests(index indexDocument) ([]descriptor, error) {
	var selected []descriptor
	seen := map[string]bool{}
	for _, m := range index.Manifests {
		p := ""
		if m.Platform != nil {
			p = m.Platform.String()
		}
		// Builders list attestations as platform unknown/unknown.
		if p == "unknown/unknown" || !r.includes(p) {
			if p != "" {
				seen[p] = true
			}
			continue
		}
		if !m.MediaType.IsImage() || p == "" {
			return nil, fmt.Errorf("%s: want the manifest of an image with a platform, got media type %q", m.Digest, m.MediaType)
		}
		if seen[p] {
			return nil, fmt.Errorf("duplicate platform %q. Fix: select platforms with --platform", p)
		}
		seen[p] = true
		selected = append(selected, m)
	}
	for _, p := range r.platforms {
		if !seen[p] {
			return nil, fmt.Errorf("want platform %q, got %q", p, slices.Sorted(maps.Keys(seen)))
		}
	}
	if len(selected) == 0 {
		return nil, errors.New("no manifests")
	}
	return selected, nil
}

func (r *reader) includes(platform string) bool {
	return len(r.platforms) == 0 || slices.Contains(r.platforms, platform)
}

// readManifest reads the manifest and config of a platform and adds its layers.
func (r *reader) readManifest(dir string, d descriptor) (PlatformContents, error) {
	p := PlatformContents{Manifest: d.Digest, Layers: []Digest{}}
	var manifest manifestDocument
	var config configDocument
	if err := r.readDocument(dir, d, &manifest); err != nil {
		return p, err
	}
	if err := r.readDocument(dir, manifest.Config, &config); err != nil {
		return p, fmt.Errorf("config: %w", err)
	}
	p.Config, p.Platform = manifest.Config.Digest, config.platform.String()
	switch {
	case !isPlatform(p.Platform):
		return p, fmt.Errorf("config: invalid platform %q", p.Platform)
	case d.Platform != nil && d.Platform.String() != p.Platform:
		return p, fmt.Errorf("want platform %q as in the index, got %q in the config", d.Platform, p.Platform)
	case !r.includes(p.Platform):
		return p, fmt.Errorf("want platform %q, got %q", r.platforms, p.Platform)
	case len(manifest.Layers) != len(config.RootFS.DiffIDs):
		return p, fmt.Errorf("want %d layers, one per diffID, got %d", len(config.RootFS.DiffIDs), len(manifest.Layers))
	}
	for _, l := range manifest.Layers {
		if err := r.addLayer(dir, l); err != nil {
			return p, fmt.Errorf("layer: %w", err)
		}
		p.Layers = append(p.Layers, l.Digest)
	}
	return p, nil
}

// setDockerPlatform chooses the platform for docker's manifest.json, which refers to
// one platform only.
func (r *reader) setDockerPlatform(l *layout) error {
	l.Docker = l.Platforms[0].Platform
	if len(r.platforms) == 0 {
		return nil
	}
	l.Docker = r.platforms[0]
	if len(l.Platforms) != len(r.platforms) {
		return fmt.Errorf("want platforms %q, got only %q", r.platforms, l.Platforms[0].Platform)
	}
	return nil
}

// readDocument adds a JSON blob and parses it.
func (r *reader) readDocument(dir string, d descriptor, v any) error {
	b, err := newBlob(dir, d)
	if err != nil {
		return err
	}
	if err := b.load(); err != nil {
		return err
	}
	if err := json.Unmarshal(b.content, v); err != nil {
		return fmt.Errorf("reading %q: %w", b.path, err)
	}
	return r.add(b, &r.documents)
}

// addLayer adds the blob of a layer without reading it.
func (r *reader) addLayer(dir string, d descriptor) error {
	b, err := newBlob(dir, d)
	if err != nil {
		return err
	}
	if err := b.stat(); err != nil {
		return err
	}
	return r.add(b, &r.layers)
}

func (r *reader) add(b *blob, list *[]*blob) error {
	if other := r.byDigest[b.digest]; other != nil {
		if other.size != b.size {
			return fmt.Errorf("blob %s: conflicting sizes %d and %d", b.digest, other.size, b.size)
		}
		return nil
	}
	r.byDigest[b.digest] = b
	*list = append(*list, b)
	return nil
}
