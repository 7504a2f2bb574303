// Package sigstore verifies Sigstore bundles of signatures of files against a trusted
// root and a policy. It uses no network and no clock.
package sigstore

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/hyperkube/hyperkube/versions"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// Verifier verifies bundles.
type Verifier struct {
	Policy     Policy
	verifier   *verify.Verifier
	identities []verify.PolicyOption
}

// Proof is what a verified bundle proves: that an identity signed a digest before a
// time.
type Proof struct {
	Identity string    `json:"identity"`
	Issuer   string    `json:"issuer"`
	Time     time.Time `json:"time"` // of the entry in the transparency log
}

// ParseRoot parses a trusted root in JSON.
func ParseRoot(name string, data []byte) (root.TrustedMaterial, error) {
	r, err := root.NewTrustedRootFromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("parsing trusted root %q: %w", name, err)
	}
	return r, nil
}

// NewVerifier returns a verifier. A bundle needs a certificate with a signed
// certificate timestamp, and an entry in a transparency log with a signed time.
func NewVerifier(trusted root.TrustedMaterial, p Policy) (*Verifier, error) {
	v, err := verify.NewVerifier(trusted, verify.WithSignedCertificateTimestamps(1),
		verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
	if err != nil {
		return nil, err
	}
	var identities []verify.PolicyOption
	for _, s := range p.Signers {
		id, err := verify.NewShortCertificateIdentity(s.Issuer, "", s.Identity, "")
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		identities = append(identities, verify.WithCertificateIdentity(id))
	}
	return &Verifier{p, v, identities}, nil
}

// Verify verifies that the bundle has an accepted signature of a digest. The error is
// the reason to refuse it.
func (v *Verifier) Verify(b *Bundle, digest versions.Digest) (Proof, error) {
	if b.digest != digest {
		return Proof{}, fmt.Errorf("the bundle is of another file: want sha256 %s, got %s", digest, b.digest)
	}
	entries := b.GetVerificationMaterial().GetTlogEntries()
	if len(entries) == 0 {
		return Proof{}, errors.New("the time of the signature is not proven: the bundle has no entry of a transparency log")
	}
	sum, err := hex.DecodeString(digest.String())
	if err != nil {
		return Proof{}, err
	}
	result, err := v.verifier.Verify(b.Bundle, verify.NewPolicy(verify.WithArtifactDigest("sha256", sum), v.identities...))
	if err != nil {
		return Proof{}, explain(b, err)
	}
	p := Proof{
		Identity: result.Signature.Certificate.SubjectAlternativeName,
		Issuer:   result.Signature.Certificate.Issuer,
	}
	for _, t := range result.VerifiedTimestamps {
		if !v.permits(p, t.Timestamp) {
			return Proof{}, fmt.Errorf("the policy does not accept signatures of %s of %s at that time", p.Identity, t.Timestamp.UTC().Format(time.RFC3339))
		}
		if p.Time.IsZero() || t.Timestamp.Before(p.Time) {
			p.Time = t.Timestamp.UTC()
		}
	}
	return p, nil
}

// permits reports whether the policy accepts signatures of the proof's identity at a
// time.
func (v *Verifier) permits(p Proof, t time.Time) bool {
	for _, s := range v.Policy.Signers {
		if s.Identity == p.Identity && s.Issuer == p.Issuer && s.permits(t) {
			return true
		}
	}
	return false
}

// explain adds to an error of the library what people need to know.
func explain(b *Bundle, err error) error {
	var identity *verify.ErrNoMatchingCertificateIdentity
	switch {
	case errors.As(err, &identity):
		return fmt.Errorf("the policy does not accept the signer: %w", err)
	case !b.HasInclusionPromise() && len(b.GetVerificationMaterial().GetTimestampVerificationData().GetRfc3161Timestamps()) == 0:
		return fmt.Errorf("the time of the signature is not proven: the log entry has no signed timestamp: %w", err)
	}
	return err
}
