// Package oci composes configs, manifests and indexes, and lays them out in
// folders, to the very bytes that rules_oci 2.3.0 makes of the same layers: two
// builders that share no code agree on every digest, or a test fails.
package oci

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// The media types of what is composed here on scratch.
const (
	MediaTypeConfig   = "application/vnd.oci.image.config.v1+json"
	MediaTypeManifest = "application/vnd.oci.image.manifest.v1+json"
	MediaTypeIndex    = "application/vnd.oci.image.index.v1+json"
)

// epoch stands where others have a build time.
const epoch = "1970-01-01T00:00:00Z"

// Image is what one platform's image is composed of.
type Image struct {
	OS, Arch   string // that of the base, or left out, where there is one
	Base       *Base  // nil: scratch
	Layers     []Layer
	Entrypoint []string
	Cmd        []string
	// Env, Labels and Annotations keep their order, after those of the base.
	// Values of Env may have $NAME in them: what the base has, or what was set
	// before.
	Env, Labels, Annotations []versions.Pair
	User, WorkingDir         string
}

// Layer is a written layer and the Bazel label of the target that writes it.
// The label is part of the image's history.
type Layer struct {
	layer.Descriptor
	Label string
}

// Blob is a composed document.
type Blob struct {
	MediaType string
	Digest    string // "sha256:…"
	Bytes     []byte
}

// Manifest is one image, composed.
type Manifest struct {
	Blob
	Config   Blob
	Layers   []layer.Descriptor // from the lowest: the base's, then the image's own
	platform value              // as an index has it
}

// Compose makes the config and the manifest of an image. Each step is one of
// rules_oci's, in its order: where a key first comes to stand, and so the
// digest, follows from that.
func Compose(image Image) (Manifest, error) {
	base := image.Base
	if base == nil {
		if image.OS == "" || image.Arch == "" {
			return Manifest{}, errors.New("composing an image: it has no platform")
		}
		base = onScratch(image.OS, image.Arch)
	} else if image.OS != "" && image.OS != base.OS || image.Arch != "" && image.Arch != base.Arch {
		return Manifest{}, fmt.Errorf("composing an image for %s/%s: its base is for %s/%s", image.OS, image.Arch, base.OS, base.Arch)
	}
	manifest, config := base.manifest, base.config
	layers := slices.Clone(base.Layers)
	for _, l := range image.Layers {
		config = config.push(str(l.DiffID), "rootfs", "diff_ids").
			push(obj(member{"created", str(epoch)}, member{"created_by", str("bazel build " + l.Label)}), "history")
		l.MediaType = layerType(l.MediaType, manifest.get("mediaType"))
		manifest = manifest.push(obj(member{"size", num(l.Size)}, member{"digest", str(l.Digest)}, member{"mediaType", str(l.MediaType)}), "layers")
		layers = append(layers, l.Descriptor)
	}
	if len(layers) > maxLayers {
		return Manifest{}, fmt.Errorf("composing an image: %d layers upon %d of its base are more than the %d that can be mounted", len(image.Layers), len(base.Layers), maxLayers)
	}
	config = config.merge(runtime(image, config))
	// An entrypoint takes the base's arguments away.
	if config.get("config", "Cmd").kind == null {
		config = config.drop("config", "Cmd")
	}
	// The config, unlike the others, has no newline at its end.
	c := newBlob(base.ConfigDescriptor.MediaType, bytes.TrimSuffix(config.document(), []byte("\n")))
	manifest = manifest.set(str(c.Digest), "config", "digest").set(num(int64(len(c.Bytes))), "config", "size").drop("config", "data")
	if len(image.Annotations) > 0 {
		manifest = manifest.set(obj().merge(manifest.get("annotations")).merge(pairsOf(image.Annotations)), "annotations")
	}
	return Manifest{newBlob(base.MediaType, manifest.document()), c, layers, platformOf(config)}, nil
}

// onScratch is what an image without a base begins with.
func onScratch(os, arch string) *Base {
	b := &Base{OS: os, Arch: arch}
	b.MediaType, b.ConfigDescriptor.MediaType = MediaTypeManifest, MediaTypeConfig
	b.manifest = obj(
		member{"schemaVersion", num(2)}, member{"mediaType", str(MediaTypeManifest)},
		member{"config", obj(member{"mediaType", str(MediaTypeConfig)}, member{"size", num(0)})},
		member{"layers", strs(nil)})
	b.config = obj(
		member{"created", str(epoch)}, member{"config", obj()}, member{"history", strs(nil)},
		member{"rootfs", obj(member{"type", str("layers")}, member{"diff_ids", strs(nil)})},
		member{"architecture", str(arch)}, member{"os", str(os)})
	return b
}

// runtime is what an image lays over the config of its base.
func runtime(image Image, base value) value {
	v := obj()
	put := func(key string, to value) { v = v.set(to, "config", key) }
	if len(image.Entrypoint) > 0 {
		put("Cmd", value{})
		put("Entrypoint", strs(image.Entrypoint))
	}
	if len(image.Cmd) > 0 {
		put("Cmd", strs(image.Cmd))
	}
	if len(image.Env) > 0 {
		put("Env", strs(mergeEnv(base.get("config", "Env").texts(), image.Env)))
	}
	if len(image.Labels) > 0 {
		put("Labels", pairsOf(image.Labels))
	}
	if image.User != "" {
		put("User", str(image.User))
	}
	if image.WorkingDir != "" {
		put("WorkingDir", str(image.WorkingDir))
	}
	return v
}

// layerType is the media type of a layer in a manifest of a media type: Docker's
// manifests have Docker's layers.
func layerType(mediaType string, manifest value) string {
	if compression, ok := strings.CutPrefix(mediaType, layerTypes[0]); ok && manifest.hasPrefix("application/vnd.docker.") {
		return "application/vnd.docker.image.rootfs.diff.tar" + strings.Replace(compression, "+", ".", 1)
	}
	return mediaType
}

// platformOf is what an index says of an image with this config.
func platformOf(config value) value {
	p := obj()
	for _, key := range []string{"os", "architecture", "variant", "os.version", "os.features"} {
		if item := config.get(key); item.kind != null {
			p = p.set(item, key)
		}
	}
	return p
}

// Index makes the index of images for several platforms.
func Index(images []Manifest) (Blob, error) {
	manifests := strs(nil)
	for _, m := range images {
		manifests = manifests.push(m.entry().set(m.platform, "platform"))
	}
	index := obj(member{"schemaVersion", num(2)}, member{"mediaType", str(MediaTypeIndex)}, member{"manifests", manifests})
	return newBlob(MediaTypeIndex, index.document()), nil
}

// entry is how an index refers to a blob.
func (b Blob) entry() value {
	return obj(member{"mediaType", str(b.MediaType)}, member{"digest", str(b.Digest)}, member{"size", num(int64(len(b.Bytes)))})
}

func newBlob(mediaType string, b []byte) Blob {
	sum := sha256.Sum256(b)
	return Blob{mediaType, "sha256:" + hex.EncodeToString(sum[:]), b}
}
