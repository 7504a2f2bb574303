package oci

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// Base is an image for one platform, which another one is composed upon.
type Base struct {
	BaseManifest
	Config   []byte
	OS, Arch string
	Layers   []layer.Descriptor // from the lowest
	config   value
}

// BaseManifest is the manifest of a base.
type BaseManifest struct {
	Manifest         []byte
	MediaType        string
	ConfigDescriptor Descriptor
	LayerDescriptors []Descriptor // from the lowest
	manifest         value
}

// Descriptor is what a manifest says of a blob.
type Descriptor struct {
	MediaType string
	Digest    versions.Digest
	Size      int64 // in bytes
}

// What a base may be and have. Anything else is no image, or one that is not all
// in its registry.
var (
	manifestTypes = map[string]string{ // to that of their configs
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

// The bounds of a base.
const (
	MaxDocument = 4 << 20 // bytes of a manifest or a config
	maxLayer    = 4 << 30 // bytes of a layer
	maxLayers   = 127     // an overlay has no more
)

// ReadBaseManifest reads the manifest of a base, and nothing that it refers to.
func ReadBaseManifest(raw []byte) (BaseManifest, error) {
	fail := func(err error) (BaseManifest, error) {
		return BaseManifest{}, fmt.Errorf("reading the manifest of a base image, sha256:%x: %w", sha256.Sum256(raw), err)
	}
	v, err := parse(raw)
	if err != nil {
		return fail(err)
	}
	if err := v.fields(manifestFields); err != nil {
		return fail(err)
	}
	m := BaseManifest{Manifest: raw, MediaType: MediaTypeManifest, manifest: v}
	// OCI lets it be left out, Docker does not.
	if of := v.get("mediaType"); of.kind != null {
		m.MediaType = of.text
	}
	configType, ok := manifestTypes[m.MediaType]
	if !ok {
		return fail(fmt.Errorf("want the manifest of an image, got the media type %q", m.MediaType))
	}
	if v.get("schemaVersion").whole() != 2 {
		return fail(errors.New("want schemaVersion 2"))
	}
	if !v.get("annotations").is(null, object) || !v.get("layers").is(list) {
		return fail(errors.New("want annotations to be an object, and layers a list"))
	}
	if m.ConfigDescriptor, err = readRef(v.get("config"), []string{configType}, MaxDocument); err != nil {
		return fail(fmt.Errorf("config: %w", err))
	}
	layers := v.get("layers").items
	if len(layers) == 0 && v.get("mediaType").kind == null {
		return fail(errors.New("want a mediaType, or layers that tell what it is"))
	}
	if len(layers) > maxLayers {
		return fail(fmt.Errorf("%d layers, more than the %d allowed", len(layers), maxLayers))
	}
	for i, l := range layers {
		ref, err := readRef(l, layerTypes, maxLayer)
		if err != nil {
			return fail(fmt.Errorf("layers[%d]: %w", i, err))
		}
		m.LayerDescriptors = append(m.LayerDescriptors, ref)
	}
	return m, nil
}

func readRef(v value, mediaTypes []string, most int64) (Descriptor, error) {
	ref := Descriptor{MediaType: v.get("mediaType").text, Size: v.get("size").whole()}
	if err := v.fields(refFields); err != nil {
		return ref, err
	}
	switch {
	case v.get("urls").kind != null:
		return ref, errors.New("it is to be had at URLs and not in the registry, which is not supported")
	case !slices.Contains(mediaTypes, ref.MediaType):
		return ref, fmt.Errorf("want the media type %s, got %q", strings.Join(mediaTypes, ", or "), ref.MediaType)
	case ref.Size < 0 || ref.Size > most:
		return ref, fmt.Errorf("want a size of at most %d bytes, got %s", most, v.get("size").append(nil))
	}
	var err error
	ref.Digest, err = readDigest(v.get("digest"))
	return ref, err
}

func readDigest(v value) (versions.Digest, error) {
	sum, ok := strings.CutPrefix(v.text, "sha256:")
	if !ok {
		return versions.Digest{}, fmt.Errorf("want a digest like sha256:…, got %q", v.text)
	}
	return versions.ParseDigest(sum)
}

// WithConfig returns the base that has this manifest and config.
func (m BaseManifest) WithConfig(raw []byte) (*Base, error) {
	sum := sha256.Sum256(raw)
	fail := func(err error) (*Base, error) {
		return nil, fmt.Errorf("reading the config of a base image, sha256:%x: %w", sum, err)
	}
	if got := hex.EncodeToString(sum[:]); got != m.ConfigDescriptor.Digest.String() || int64(len(raw)) != m.ConfigDescriptor.Size {
		return fail(fmt.Errorf("want sha256 %s and %d bytes, as the manifest says, got %d bytes", m.ConfigDescriptor.Digest, m.ConfigDescriptor.Size, len(raw)))
	}
	v, err := parse(raw)
	if err != nil {
		return fail(err)
	}
	if err := errors.Join(v.fields(configFields), v.get("config").fields(runtimeFields), v.get("rootfs").fields(rootFSFields)); err != nil {
		return fail(err)
	}
	b := &Base{BaseManifest: m, Config: raw, OS: v.get("os").text, Arch: v.get("architecture").text, config: v}
	diffIDs := v.get("rootfs", "diff_ids")
	switch {
	case v.kind != object || b.OS == "" || b.Arch == "":
		return fail(errors.New("want an operating system and an architecture"))
	case !v.get("history").is(null, list) || !v.get("config").is(null, object):
		return fail(errors.New("want history to be a list, and config an object"))
	case len(diffIDs.items) != len(m.LayerDescriptors):
		return fail(fmt.Errorf("want as many diff_ids as layers, got %d and %d", len(diffIDs.items), len(m.LayerDescriptors)))
	}
	for i, l := range m.LayerDescriptors {
		diffID, err := readDigest(diffIDs.items[i])
		if err != nil {
			return fail(fmt.Errorf("rootfs.diff_ids[%d]: %w", i, err))
		}
		b.Layers = append(b.Layers, layer.Descriptor{
			MediaType: l.MediaType, Digest: "sha256:" + l.Digest.String(), DiffID: "sha256:" + diffID.String(), Size: l.Size,
		})
	}
	for i, e := range v.get("config", "Env").items {
		if !e.is(text) || e.text == "" {
			return fail(fmt.Errorf("config.Env[%d]: want a string like NAME=VALUE", i))
		}
	}
	return b, nil
}
