// Package oci composes image configs, manifests and indexes, and writes OCI image
// layouts. The bytes are those that rules_oci 2.3.0 produces from the same layers;
// tests compare the two builders, which share no code, digest by digest.
package oci

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// Media types of images composed from scratch.
const (
	MediaTypeConfig   = "application/vnd.oci.image.config.v1+json"
	MediaTypeManifest = "application/vnd.oci.image.manifest.v1+json"
	MediaTypeIndex    = "application/vnd.oci.image.index.v1+json"
)

// epoch replaces the build time, so that builds are reproducible.
const epoch = "1970-01-01T00:00:00Z"

// ImageSpec describes a single-platform image to compose.
type ImageSpec struct {
	OS, Arch   string // optional if there is a base
	Base       *Base  // nil to build from scratch
	Layers     []Layer
	Entrypoint []string
	Cmd        []string
	// Env, Labels and Annotations keep their order, after those of the base.
	// Values of Env may refer to variables of the base and to earlier ones as
	// $NAME or ${NAME}.
	Env, Labels, Annotations []versions.Pair
	User, WorkingDir         string
}

// Layer is a layer and the label of the Bazel target that writes it. The label
// becomes part of the image's history.
type Layer struct {
	layer.Descriptor
	Label string
}

// Blob is a composed config, manifest or index.
type Blob struct {
	MediaType string
	Digest    string // "sha256:…"
	Bytes     []byte
}

// Image is a composed single-platform image.
type Image struct {
	Manifest, Config Blob
	Layers           []layer.Descriptor // lowest first, beginning with those of the base
	platform         value              // as in the index
}

// Compose composes the config and the manifest of an image. The steps are those of
// rules_oci in the same order: the order of JSON keys, and so the digest, depends
// on it.
func Compose(spec ImageSpec) (Image, error) {
	base := spec.Base
	if base == nil {
		if spec.OS == "" || spec.Arch == "" {
			return Image{}, errors.New("composing an image: want an operating system and an architecture")
		}
		base = scratchBase(spec.OS, spec.Arch)
	} else if spec.OS != "" && spec.OS != base.OS || spec.Arch != "" && spec.Arch != base.Arch {
		return Image{}, fmt.Errorf("composing an image for %s/%s: base image is for %s/%s", spec.OS, spec.Arch, base.OS, base.Arch)
	}
	manifest, config := base.manifest, base.config
	layers := slices.Clone(base.Layers)
	for _, l := range spec.Layers {
		config = config.add(str(l.DiffID), "rootfs", "diff_ids").
			add(obj(member{"created", str(epoch)}, member{"created_by", str("bazel build " + l.Label)}), "history")
		l.MediaType = layerType(l.MediaType, manifest.get("mediaType").text)
		manifest = manifest.add(obj(member{"size", num(l.Size)}, member{"digest", str(l.Digest)}, member{"mediaType", str(l.MediaType)}), "layers")
		layers = append(layers, l.Descriptor)
	}
	if len(layers) > maxLayers {
		return Image{}, fmt.Errorf("composing an image: want at most %d layers, got %d and %d of the base image", maxLayers, len(spec.Layers), len(base.Layers))
	}
	config = config.merge(runtimeConfig(spec, config))
	// An entrypoint resets the arguments of the base.
	if config.get("config", "Cmd").kind == null {
		config = config.drop("config", "Cmd")
	}
	// rules_oci writes the config without a trailing newline.
	c := newBlob(base.ConfigDescriptor.MediaType, bytes.TrimSuffix(config.document(), []byte("\n")))
	manifest = manifest.set(str(c.Digest), "config", "digest").set(num(int64(len(c.Bytes))), "config", "size").drop("config", "data")
	if len(spec.Annotations) > 0 {
		manifest = manifest.set(obj().merge(manifest.get("annotations")).merge(pairs(spec.Annotations)), "annotations")
	}
	return Image{newBlob(base.MediaType, manifest.document()), c, layers, platformOf(config)}, nil
}

// scratchBase returns the empty image that images without a base extend.
func scratchBase(os, arch string) *Base {
	b := &Base{OS: os, Arch: arch}
	b.MediaType, b.ConfigDescriptor.MediaType = MediaTypeManifest, MediaTypeConfig
	b.manifest = obj(
		member{"schemaVersion", num(2)}, member{"mediaType", str(MediaTypeManifest)},
		member{"config", obj(member{"mediaType", str(MediaTypeConfig)}, member{"size", num(0)})},
		member{"layers", arr()})
	b.config = obj(
		member{"created", str(epoch)}, member{"config", obj()}, member{"history", arr()},
		member{"rootfs", obj(member{"type", str("layers")}, member{"diff_ids", arr()})},
		member{"architecture", str(arch)}, member{"os", str(os)})
	return b
}

// runtimeConfig returns the settings of an image to merge into the config of its
// base.
func runtimeConfig(spec ImageSpec, base value) value {
	v := obj()
	put := func(key string, item value) { v = v.set(item, "config", key) }
	if len(spec.Entrypoint) > 0 {
		put("Cmd", value{})
		put("Entrypoint", strs(spec.Entrypoint))
	}
	if len(spec.Cmd) > 0 {
		put("Cmd", strs(spec.Cmd))
	}
	if len(spec.Env) > 0 {
		put("Env", strs(mergeEnv(base.get("config", "Env").Strings(), spec.Env)))
	}
	if len(spec.Labels) > 0 {
		put("Labels", pairs(spec.Labels))
	}
	if spec.User != "" {
		put("User", str(spec.User))
	}
	if spec.WorkingDir != "" {
		put("WorkingDir", str(spec.WorkingDir))
	}
	return v
}

// layerType converts the media type of a layer to the one for a manifest's media
// type: Docker manifests refer to Docker layers.
func layerType(layer, manifest string) string {
	compression, ok := strings.CutPrefix(layer, "application/vnd.oci.image.layer.v1.tar")
	if ok && strings.HasPrefix(manifest, "application/vnd.docker.") {
		return "application/vnd.docker.image.rootfs.diff.tar" + strings.Replace(compression, "+", ".", 1)
	}
	return layer
}

// platformOf returns the platform of a config as an index has it.
func platformOf(config value) value {
	p := obj()
	for _, key := range []string{"os", "architecture", "variant", "os.version", "os.features"} {
		if item := config.get(key); item.kind != null {
			p = p.set(item, key)
		}
	}
	return p
}

// Index composes the index of images for several platforms.
func Index(images []Image) Blob {
	manifests := arr()
	for _, image := range images {
		manifests = manifests.add(image.Manifest.descriptor().set(image.platform, "platform"))
	}
	index := obj(member{"schemaVersion", num(2)}, member{"mediaType", str(MediaTypeIndex)}, member{"manifests", manifests})
	return newBlob(MediaTypeIndex, index.document())
}

// descriptor returns the descriptor of a blob as an index has it.
func (b Blob) descriptor() value {
	return obj(member{"mediaType", str(b.MediaType)}, member{"digest", str(b.Digest)}, member{"size", num(int64(len(b.Bytes)))})
}

func newBlob(mediaType string, b []byte) Blob {
	return Blob{mediaType, fmt.Sprintf("sha256:%x", sha256.Sum256(b)), b}
}
