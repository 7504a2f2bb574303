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

// layout is an image, read from its folder.
type layout struct {
	ImageContents
	target descriptor
}

// What is read of OCI's documents.
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

// reader reads layouts and gathers the blobs of all of them.
type reader struct {
	platforms         []string // those that are wanted, the one for docker first; none for all
	byDigest          map[Digest]*blob
	documents, layers []*blob
}

func newReader(platforms []string) *reader {
	return &reader{platforms: platforms, byDigest: map[Digest]*blob{}}
}

// blobs are the small ones first, so that whoever reads the file as a stream
// knows all about the images before their layers come.
func (r *reader) blobs() []*blob { return slices.Concat(r.documents, r.layers) }

func (r *reader) read(image Image) (layout, error) {
	l := layout{ImageContents: ImageContents{Name: image.Name}}
	if err := CheckName(image.Name); err != nil {
		return l, err
	}
	var version struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := readJSON(filepath.Join(image.Dir, "oci-layout"), &version); err != nil {
		return l, fmt.Errorf("%w; want the folder of an OCI layout", err)
	}
	if version.Version != "1.0.0" {
		return l, fmt.Errorf("reading %q: want the layout's version 1.0.0, got %q", image.Dir, version.Version)
	}
	var top indexDocument
	if err := readJSON(filepath.Join(image.Dir, "index.json"), &top); err != nil {
		return l, err
	}
	if len(top.Manifests) != 1 {
		return l, fmt.Errorf("reading %q: want the layout of one image, got %d", image.Dir, len(top.Manifests))
	}
	l.target = top.Manifests[0]
	l.Digest = l.target.Digest
	manifests := []descriptor{l.target}
	switch {
	case l.target.MediaType.IsImage():
	case l.target.MediaType.IsIndex():
		var index indexDocument
		if err := r.document(image.Dir, l.target, &index); err != nil {
			return l, err
		}
		var err error
		if manifests, err = r.wanted(index); err != nil {
			return l, fmt.Errorf("index %s: %w", l.Digest, err)
		}
	default:
		return l, fmt.Errorf("reading %q: want an index or a manifest, got the media type %q", image.Dir, l.target.MediaType)
	}
	for _, m := range manifests {
		p, err := r.manifest(image.Dir, m)
		if err != nil {
			return l, fmt.Errorf("manifest %s: %w", m.Digest, err)
		}
		l.Platforms = append(l.Platforms, p)
	}
	return l, r.chooseForDocker(&l)
}

// wanted are the manifests of the index that go into the archive.
func (r *reader) wanted(index indexDocument) ([]descriptor, error) {
	var wanted []descriptor
	seen := map[string]bool{}
	for _, m := range index.Manifests {
		p := ""
		if m.Platform != nil {
			p = m.Platform.String()
		}
		// Builders put what they say of an image beside its platforms.
		if p == "unknown/unknown" || len(r.platforms) > 0 && !r.wants(p) {
			if p != "" {
				seen[p] = true
			}
			continue
		}
		if !m.MediaType.IsImage() || p == "" {
			return nil, fmt.Errorf("%s: want the manifest of an image and its platform, got the media type %q", m.Digest, m.MediaType)
		}
		if seen[p] {
			return nil, fmt.Errorf("it has the platform %q twice; -platform leaves out those that are not wanted", p)
		}
		seen[p] = true
		wanted = append(wanted, m)
	}
	for _, p := range r.platforms {
		if !seen[p] {
			return nil, fmt.Errorf("want the platform %q, got %q", p, slices.Sorted(maps.Keys(seen)))
		}
	}
	if len(wanted) == 0 {
		return nil, errors.New("it has no manifests")
	}
	return wanted, nil
}

func (r *reader) wants(platform string) bool {
	return len(r.platforms) == 0 || slices.Contains(r.platforms, platform)
}

// manifest reads a platform's manifest and config, and looks for its layers.
func (r *reader) manifest(dir string, d descriptor) (PlatformContents, error) {
	p := PlatformContents{Manifest: d.Digest, Layers: []Digest{}}
	var manifest manifestDocument
	var config configDocument
	if err := r.document(dir, d, &manifest); err != nil {
		return p, err
	}
	if err := r.document(dir, manifest.Config, &config); err != nil {
		return p, fmt.Errorf("config: %w", err)
	}
	p.Config, p.Platform = manifest.Config.Digest, config.platform.String()
	switch {
	case !isPlatform(p.Platform):
		return p, fmt.Errorf("config: %q is not a platform", p.Platform)
	case d.Platform != nil && d.Platform.String() != p.Platform:
		return p, fmt.Errorf("want the platform %q, as the index says, got %q in the config", d.Platform, p.Platform)
	case !r.wants(p.Platform):
		return p, fmt.Errorf("want the platform %q, got %q", r.platforms, p.Platform)
	case len(manifest.Layers) != len(config.RootFS.DiffIDs):
		return p, fmt.Errorf("want as many layers as diffIDs, got %d and %d", len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	for _, l := range manifest.Layers {
		if err := r.layer(dir, l); err != nil {
			return p, fmt.Errorf("layer: %w", err)
		}
		p.Layers = append(p.Layers, l.Digest)
	}
	return p, nil
}

// chooseForDocker picks the one platform that docker's manifest.json can have.
func (r *reader) chooseForDocker(l *layout) error {
	l.Docker = l.Platforms[0].Platform
	if len(r.platforms) == 0 {
		return nil
	}
	l.Docker = r.platforms[0]
	if len(l.Platforms) != len(r.platforms) {
		return fmt.Errorf("want the platforms %q, got %q alone", r.platforms, l.Platforms[0].Platform)
	}
	return nil
}

// document reads a blob that is JSON, and keeps it.
func (r *reader) document(dir string, d descriptor, to any) error {
	b, err := newBlob(dir, d)
	if err != nil {
		return err
	}
	if err := b.load(); err != nil {
		return err
	}
	if err := json.Unmarshal(b.content, to); err != nil {
		return fmt.Errorf("reading %q: %w", b.file, err)
	}
	return r.add(b, &r.documents)
}

// layer looks for a blob, and leaves it where it is.
func (r *reader) layer(dir string, d descriptor) error {
	b, err := newBlob(dir, d)
	if err != nil {
		return err
	}
	if err := b.look(); err != nil {
		return err
	}
	return r.add(b, &r.layers)
}

func (r *reader) add(b *blob, to *[]*blob) error {
	if other := r.byDigest[b.digest]; other != nil {
		if other.size != b.size {
			return fmt.Errorf("blob %s: want %d bytes here, and %d elsewhere", b.digest, b.size, other.size)
		}
		return nil
	}
	r.byDigest[b.digest] = b
	*to = append(*to, b)
	return nil
}
