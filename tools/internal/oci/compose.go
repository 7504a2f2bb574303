// Package oci composes configs, manifests and indexes, and lays them out in
// folders, to the very bytes that rules_oci 2.3.0 makes of the same layers: two
// builders that share no code agree on every digest, or a test fails.
package oci

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/layer"
	"github.com/hyperkube/hyperkube/versions"
)

// The media types of what is composed here.
const (
	MediaTypeConfig   = "application/vnd.oci.image.config.v1+json"
	MediaTypeManifest = "application/vnd.oci.image.manifest.v1+json"
	MediaTypeIndex    = "application/vnd.oci.image.index.v1+json"
)

// epoch stands where others have a build time.
const epoch = "1970-01-01T00:00:00Z"

// Image is what one platform's image is composed of.
type Image struct {
	OS, Arch   string
	Layers     []Layer
	Entrypoint []string
	Cmd        []string
	// Env, Labels and Annotations keep their order.
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
	Config Blob
	Image  Image
}

// The orders of the fields below are those in which rules_oci's scripts happen
// to set them; they are part of the digests.
type (
	configJSON struct {
		Created      string        `json:"created"`
		Config       runtimeJSON   `json:"config"`
		History      []historyJSON `json:"history"`
		RootFS       rootFSJSON    `json:"rootfs"`
		Architecture string        `json:"architecture"`
		OS           string        `json:"os"`
	}
	runtimeJSON struct {
		Cmd        []string `json:"Cmd,omitempty"`
		Entrypoint []string `json:"Entrypoint,omitempty"`
		Env        []string `json:"Env,omitempty"`
		Labels     pairs    `json:"Labels,omitempty"`
		User       string   `json:"User,omitempty"`
		WorkingDir string   `json:"WorkingDir,omitempty"`
	}
	historyJSON struct {
		Created   string `json:"created"`
		CreatedBy string `json:"created_by"`
	}
	rootFSJSON struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	}
	manifestJSON struct {
		SchemaVersion int         `json:"schemaVersion"`
		MediaType     string      `json:"mediaType"`
		Config        configRef   `json:"config"`
		Layers        []layerJSON `json:"layers"`
		Annotations   pairs       `json:"annotations,omitempty"`
	}
	configRef struct {
		MediaType string `json:"mediaType"`
		Size      int    `json:"size"`
		Digest    string `json:"digest"`
	}
	layerJSON struct {
		Size      int64  `json:"size"`
		Digest    string `json:"digest"`
		MediaType string `json:"mediaType"`
	}
	indexJSON struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     string          `json:"mediaType"`
		Manifests     []manifestEntry `json:"manifests"`
	}
	manifestEntry struct {
		MediaType string        `json:"mediaType"`
		Digest    string        `json:"digest"`
		Size      int           `json:"size"`
		Platform  *platformJSON `json:"platform,omitempty"`
	}
	platformJSON struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
	}
)

// pairs is a JSON object whose keys keep their order.
type pairs []versions.Pair

func (p pairs) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, pair := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := plain(pair.Key)
		if err != nil {
			return nil, err
		}
		value, err := plain(pair.Value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%s", key, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Compose makes the config and the manifest of an image.
func Compose(image Image) (Manifest, error) {
	if image.OS == "" || image.Arch == "" {
		return Manifest{}, errors.New("composing an image: it has no platform")
	}
	config := configJSON{
		Created: epoch,
		Config: runtimeJSON{
			Cmd: image.Cmd, Entrypoint: image.Entrypoint, Labels: pairs(image.Labels),
			User: image.User, WorkingDir: image.WorkingDir,
		},
		History:      []historyJSON{},
		RootFS:       rootFSJSON{Type: "layers", DiffIDs: []string{}},
		Architecture: image.Arch,
		OS:           image.OS,
	}
	for _, e := range image.Env {
		config.Config.Env = append(config.Config.Env, e.Key+"="+e.Value)
	}
	manifest := manifestJSON{
		SchemaVersion: 2, MediaType: MediaTypeManifest, Layers: []layerJSON{}, Annotations: pairs(image.Annotations),
	}
	for _, l := range image.Layers {
		config.History = append(config.History, historyJSON{epoch, "bazel build " + l.Label})
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.DiffID)
		manifest.Layers = append(manifest.Layers, layerJSON{l.Size, l.Digest, l.MediaType})
	}
	c, err := document(MediaTypeConfig, config)
	if err != nil {
		return Manifest{}, err
	}
	// The config, unlike the others, has no newline at its end.
	c = newBlob(MediaTypeConfig, bytes.TrimSuffix(c.Bytes, []byte("\n")))
	manifest.Config = configRef{MediaTypeConfig, len(c.Bytes), c.Digest}
	m, err := document(MediaTypeManifest, manifest)
	return Manifest{m, c, image}, err
}

// Index makes the index of images for several platforms.
func Index(images []Manifest) (Blob, error) {
	index := indexJSON{SchemaVersion: 2, MediaType: MediaTypeIndex, Manifests: []manifestEntry{}}
	for _, m := range images {
		index.Manifests = append(index.Manifests, manifestEntry{
			m.MediaType, m.Digest, len(m.Bytes), &platformJSON{m.Image.OS, m.Image.Arch},
		})
	}
	return document(MediaTypeIndex, index)
}

func document(mediaType string, v any) (Blob, error) {
	raw, err := plain(v)
	if err != nil {
		return Blob{}, fmt.Errorf("composing %s: %w", mediaType, err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return Blob{}, fmt.Errorf("composing %s: %w", mediaType, err)
	}
	b.WriteByte('\n')
	return newBlob(mediaType, b.Bytes()), nil
}

func newBlob(mediaType string, b []byte) Blob {
	sum := sha256.Sum256(b)
	return Blob{mediaType, "sha256:" + hex.EncodeToString(sum[:]), b}
}

// plain encodes without the escapes that make JSON safe inside HTML.
func plain(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}
