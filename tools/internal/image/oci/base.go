package oci

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// Base is a single-platform image that another image extends.
type Base struct {
	BaseManifest
	Config   []byte
	OS, Arch string
	Layers   []layer.Descriptor // lowest first
	config   value
}

// BaseManifest is the manifest of a base image.
type BaseManifest struct {
	Manifest         []byte
	MediaType        string
	ConfigDescriptor Descriptor
	LayerDescriptors []Descriptor // lowest first
	manifest         value
}

// Descriptor refers to a blob of a base image.
type Descriptor struct {
	MediaType string
	Digest    versions.Digest
	Size      int64 // in bytes
}

// Media types of base images. Any other type belongs to something that is not an
// image, or to a layer that is not stored in the registry.
var (
	manifestTypes = map[string]string{ // manifest type to config type
		MediaTypeManifest: MediaTypeConfig,
		"application/vnd.docker.distribution.manifest.v2+json": "application/vnd.docker.container.image.v1+json",
	}
	layerTypes = []string{
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd",
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.gzip",
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
	}
)

// Limits of base images.
const (
	MaxDocument = 4 << 20 // bytes of a manifest or config
	maxLayer    = 4 << 30 // bytes of a layer
	maxLayers   = 127     // limit of overlay file systems
)

// ReadBaseManifest parses and validates the manifest of a base image.
func ReadBaseManifest(raw []byte) (BaseManifest, error) {
	fail := func(err error) (BaseManifest, error) {
		return BaseManifest{}, fmt.Errorf("reading base image manifest sha256:%x: %w", sha256.Sum256(raw), err)
	}
	v, err := parse(raw)
	if err != nil {
		return fail(err)
	}
	if err := v.checkFields(manifestFields); err != nil {
		return fail(err)
	}
	m := BaseManifest{Manifest: raw, MediaType: MediaTypeManifest, manifest: v}
	// OCI manifests may omit it, Docker manifests must not.
	if mediaType := v.get("mediaType"); mediaType.kind != null {
		m.MediaType = mediaType.text
	}
	configType, ok := manifestTypes[m.MediaType]
	if !ok {
		return fail(fmt.Errorf("want the manifest of an image, got media type %q", m.MediaType))
	}
	if v.get("schemaVersion").Int64() != 2 {
		return fail(errors.New("want schemaVersion 2"))
	}
	if !v.get("annotations").is(null, object) || !v.get("layers").is(list) {
		return fail(errors.New("want an object for annotations and a list for layers"))
	}
	if m.ConfigDescriptor, err = parseDescriptor(v.get("config"), []string{configType}, MaxDocument); err != nil {
		return fail(fmt.Errorf("config: %w", err))
	}
	layers := v.get("layers").items
	if len(layers) == 0 && v.get("mediaType").kind == null {
		return fail(errors.New("want a mediaType or at least one layer"))
	}
	if len(layers) > maxLayers {
		return fail(fmt.Errorf("want at most %d layers, got %d", maxLayers, len(layers)))
	}
	for i, l := range layers {
		d, err := parseDescriptor(l, layerTypes, maxLayer)
		if err != nil {
			return fail(fmt.Errorf("layers[%d]: %w", i, err))
		}
		m.LayerDescriptors = append(m.LayerDescriptors, d)
	}
	return m, nil
}

func parseDescriptor(v value, mediaTypes []string, maxSize int64) (Descriptor, error) {
	d := Descriptor{MediaType: v.get("mediaType").text, Size: v.get("size").Int64()}
	if err := v.checkFields(descriptorFields); err != nil {
		return d, err
	}
	switch {
	case v.get("urls").kind != null:
		return d, errors.New("blobs with urls outside of the registry are not supported")
	case !slices.Contains(mediaTypes, d.MediaType):
		return d, fmt.Errorf("want media type %s, got %q", strings.Join(mediaTypes, " or "), d.MediaType)
	case d.Size < 0 || d.Size > maxSize:
		return d, fmt.Errorf("want a size of at most %d bytes, got %s", maxSize, v.get("size").appendJSON(nil))
	}
	var err error
	d.Digest, err = parseDigest(v.get("digest"))
	return d, err
}

func parseDigest(v value) (versions.Digest, error) {
	sum, ok := strings.CutPrefix(v.text, "sha256:")
	if !ok {
		return versions.Digest{}, fmt.Errorf("want a digest like sha256:…, got %q", v.text)
	}
	return versions.ParseDigest(sum)
}

// WithConfig validates the config and returns the base image that it completes.
func (m BaseManifest) WithConfig(raw []byte) (*Base, error) {
	got := newBlob("", raw).Digest
	fail := func(err error) (*Base, error) {
		return nil, fmt.Errorf("reading base image config %s: %w", got, err)
	}
	if got != "sha256:"+m.ConfigDescriptor.Digest.String() || int64(len(raw)) != m.ConfigDescriptor.Size {
		return fail(fmt.Errorf("want sha256 %s and %d bytes as in the manifest, got %d bytes", m.ConfigDescriptor.Digest, m.ConfigDescriptor.Size, len(raw)))
	}
	v, err := parse(raw)
	if err != nil {
		return fail(err)
	}
	if err := errors.Join(v.checkFields(configFields), v.get("config").checkFields(runtimeFields), v.get("rootfs").checkFields(rootFSFields)); err != nil {
		return fail(err)
	}
	b := &Base{BaseManifest: m, Config: raw, OS: v.get("os").text, Arch: v.get("architecture").text, config: v}
	diffIDs := v.get("rootfs", "diff_ids")
	switch {
	case v.kind != object || b.OS == "" || b.Arch == "":
		return fail(errors.New("want os and architecture"))
	case !v.get("history").is(null, list) || !v.get("config").is(null, object):
		return fail(errors.New("want a list for history and an object for config"))
	case len(diffIDs.items) != len(m.LayerDescriptors):
		return fail(fmt.Errorf("want %d diff_ids, one per layer, got %d", len(m.LayerDescriptors), len(diffIDs.items)))
	}
	for i, l := range m.LayerDescriptors {
		diffID, err := parseDigest(diffIDs.items[i])
		if err != nil {
			return fail(fmt.Errorf("rootfs.diff_ids[%d]: %w", i, err))
		}
		b.Layers = append(b.Layers, layer.Descriptor{
			MediaType: l.MediaType, Digest: "sha256:" + l.Digest.String(), DiffID: "sha256:" + diffID.String(), Size: l.Size,
		})
	}
	for i, e := range v.get("config", "Env").items {
		if !e.is(text) || e.text == "" {
			return fail(fmt.Errorf("config.Env[%d]: want a string NAME=VALUE", i))
		}
	}
	return b, nil
}
