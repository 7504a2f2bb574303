package audit

import (
	"context"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
)

// attached says what is attached to an image.
type attached struct{ signature, sbom bool }

const (
	bundleType    = "application/vnd.dev.sigstore.bundle"
	signPredicate = "https://sigstore.dev/cosign/sign/v1"
)

// add adds a referrer. Its content is not verified.
func (a *attached) add(desc v1.Descriptor) {
	predicate := desc.Annotations["dev.sigstore.bundle.predicateType"]
	if predicate == "" {
		predicate = desc.Annotations["in-toto.io/predicate-type"]
	}
	switch kind := desc.ArtifactType; {
	case kind == "application/vnd.cncf.notary.signature", kind == "application/vnd.dev.cosign.artifact.sig.v1+json":
		a.signature = true
	case strings.HasPrefix(kind, bundleType) && (predicate == signPredicate || desc.Annotations["dev.sigstore.bundle.content"] == "message-signature"):
		a.signature = true
	case strings.HasPrefix(kind, "application/spdx"), strings.HasPrefix(kind, "text/spdx"), strings.HasPrefix(kind, "application/vnd.cyclonedx"),
		strings.HasPrefix(predicate, "https://spdx.dev/Document"), strings.HasPrefix(predicate, "https://cyclonedx.org/bom"):
		a.sbom = true
	}
}

// attachedTo lists what is attached to the indexes with the digests. Without the
// referrers API, the tags of the repository say which of them have a list.
func (r *run) attachedTo(ctx context.Context, digests []string, tags map[string]bool) (map[string]attached, error) {
	found := map[string]attached{}
	if len(digests) == 0 {
		return found, nil
	}
	hasAPI, err := r.repo.HasReferrersAPI(ctx, digests[0])
	if err != nil {
		return nil, err
	}
	err = r.each(ctx, digests, func(ctx context.Context, digest string) error {
		var a attached
		tag := registry.FallbackTag(digest)
		// Cosign 2 writes tags only.
		a.signature, a.sbom = tags[tag+".sig"], tags[tag+".sbom"]
		if hasAPI || tags[tag] {
			list, err := r.repo.Referrers(ctx, digest)
			if err != nil {
				return err
			}
			for _, desc := range list {
				a.add(desc)
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		found[digest] = a
		return nil
	})
	return found, err
}
