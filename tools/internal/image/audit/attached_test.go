package audit

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// attach attaches an artifact to an image, and returns its digest.
func (f *fixture) attach(tag string, mediaType types.MediaType, annotations map[string]string) {
	f.t.Helper()
	ref, err := name.NewTag(f.repository + ":" + tag)
	if err != nil {
		f.t.Fatal(err)
	}
	subject, err := remote.Head(ref)
	if err != nil {
		f.t.Fatal(err)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mediaType)
	image = mutate.Annotations(image, annotations).(v1.Image)
	image = mutate.Subject(image, *subject).(v1.Image)
	digest, err := image.Digest()
	if err == nil {
		err = remote.Write(ref.Context().Digest(digest.String()), image)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// Signatures and SBOMs are found with the referrers API, and without.
func TestAttached(t *testing.T) {
	for name, options := range map[string][]registry.Option{"API": {registry.WithReferrersSupport(true)}, "fallback": nil} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options...)
			f.fill()
			f.attach("v1.36.1", "application/spdx+json", nil)
			f.attach("v1.36.1", "application/vnd.dev.sigstore.bundle.v0.3+json", map[string]string{"dev.sigstore.bundle.predicateType": signPredicate})
			f.attach("v1.36.2", "application/vnd.dev.sigstore.bundle.v0.3+json", map[string]string{"dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1"})
			f.attach("v1.36.3", "application/vnd.dev.sigstore.bundle.v0.3+json", map[string]string{"dev.sigstore.bundle.predicateType": "https://spdx.dev/Document/v2.3"})
			if r := f.want(); r.Unsigned != 4 || r.WithoutSBOM != 3 {
				t.Errorf("got %+v", r)
			}
			f.audit.Signature = true
			f.want("unsigned v1.36.0", "unsigned v1.36.0-2", "unsigned v1.36.2", "unsigned v1.36.3")
			f.audit.Signature, f.audit.SBOM = false, true
			f.want("without-sbom v1.36.0", "without-sbom v1.36.0-2", "without-sbom v1.36.2")
		})
	}
}
