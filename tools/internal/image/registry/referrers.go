package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
)

// Referrer is a document about an image: a manifest with a subject, of OCI 1.1.
type Referrer struct {
	Subject     string // digest of the index or manifest, "sha256:…"
	MediaType   string // of the document, and the artifact type of the manifest
	File        string // name of the document, for clients that write it to a file
	Annotations map[string]string
	Content     []byte
}

// Attachment is a referrer of a push.
type Attachment struct {
	Upload
	Subject      string `json:"subject"`
	ArtifactType string `json:"artifactType"`
}

// emptyConfig is the config of a manifest that is no image.
const emptyType = types.MediaType("application/vnd.oci.empty.v1+json")

var emptyConfig = []byte("{}")

// artifact is the manifest of a referrer.
type artifact struct {
	raw    []byte
	digest v1.Hash
	layer  v1.Layer
}

func (a artifact) RawManifest() ([]byte, error)        { return a.raw, nil }
func (a artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// artifact returns the manifest of a referrer, which has no timestamp: equal documents
// about an image have equal manifests.
func (r Referrer) artifact(subject v1.Descriptor) (artifact, error) {
	describe := func(mediaType types.MediaType, content []byte) (v1.Descriptor, error) {
		digest, size, err := v1.SHA256(strings.NewReader(string(content)))
		return v1.Descriptor{MediaType: mediaType, Digest: digest, Size: size}, err
	}
	config, err := describe(emptyType, emptyConfig)
	if err != nil {
		return artifact{}, err
	}
	config.Data = emptyConfig
	layer, err := describe(types.MediaType(r.MediaType), r.Content)
	if err != nil {
		return artifact{}, err
	}
	layer.Annotations = map[string]string{"org.opencontainers.image.title": r.File}
	raw, err := json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: r.MediaType,
		Config: config, Layers: []v1.Descriptor{layer}, Annotations: r.Annotations,
		Subject: &v1.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size},
	})
	if err != nil {
		return artifact{}, err
	}
	self, err := describe(types.OCIManifestSchema1, raw)
	return artifact{raw, self.Digest, static.NewLayer(r.Content, types.MediaType(r.MediaType))}, err
}

// attach uploads the referrers that the registry does not list yet.
func (r run) attach(ctx context.Context, content layout.Content) ([]Attachment, error) {
	var all []Attachment
	sent := 0
	for _, referrer := range r.Referrers {
		a, err := r.attachOne(ctx, content, referrer)
		if err != nil {
			return all, fmt.Errorf("attaching %s to %s@%s: %w", referrer.MediaType, r.repo, referrer.Subject, httplimit.EscapeError(err))
		}
		if a.Status == StatusSent {
			sent++
		}
		all = append(all, a)
	}
	if sent > 0 {
		r.reporter.Logf("attached %d documents to %s", sent, r.repo)
	}
	return all, nil
}

func (r run) attachOne(ctx context.Context, content layout.Content, referrer Referrer) (Attachment, error) {
	i := slices.IndexFunc(content.Manifests, func(d v1.Descriptor) bool { return d.Digest.String() == referrer.Subject })
	if i < 0 {
		return Attachment{}, fmt.Errorf("want a manifest of the image, got %s", referrer.Subject)
	}
	manifest, err := referrer.artifact(content.Manifests[i])
	if err != nil {
		return Attachment{}, err
	}
	subject := r.repo.Digest(referrer.Subject)
	result := Attachment{Upload{manifest.digest.String(), int64(len(manifest.raw)), StatusExists}, referrer.Subject, referrer.MediaType}
	listed, err := r.isListed(ctx, subject, manifest.digest)
	switch {
	case err != nil || listed:
		return result, err
	case r.DryRun:
		result.Status = StatusSend
		return result, nil
	}
	result.Status = StatusSent
	if err := r.clearFallbackTag(ctx, subject); err != nil {
		return result, err
	}
	for _, layer := range []v1.Layer{static.NewLayer(emptyConfig, emptyType), manifest.layer} {
		if err := remote.WriteLayer(r.repo, layer, documentOptions(ctx)...); err != nil {
			return result, err
		}
	}
	return result, remote.Put(r.repo.Digest(result.Digest), manifest, documentOptions(ctx)...)
}

// documentOptions limits the size of responses, which are read into memory.
func documentOptions(ctx context.Context) []remote.Option {
	return append(options(ctx), remote.WithTransport(documents(timeoutTransport())))
}

// isListed reports whether the registry lists a manifest among the referrers of a
// subject. In a registry without that API, a tag has the list.
func (r run) isListed(ctx context.Context, subject name.Digest, digest v1.Hash) (bool, error) {
	index, err := remote.Referrers(subject, documentOptions(ctx)...)
	if err != nil {
		return false, err
	}
	list, err := index.IndexManifest()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list.Manifests, func(d v1.Descriptor) bool { return d.Digest == digest }), nil
}

// clearFallbackTag creates the tag of the list of referrers, with an empty list, in a
// registry that takes the missing tag for the digest of the subject: package remote
// would add the referrers to the entries of the subject.
func (r run) clearFallbackTag(ctx context.Context, subject name.Digest) error {
	tag := r.repo.Tag(strings.Replace(subject.DigestStr(), ":", "-", 1))
	current, err := r.head(ctx, tag.TagStr())
	if isNotFound(err) || err == nil && current.String() != subject.DigestStr() {
		return nil
	}
	if err != nil {
		return err
	}
	return remote.Put(tag, empty.Index, documentOptions(ctx)...)
}
