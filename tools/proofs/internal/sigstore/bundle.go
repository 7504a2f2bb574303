package sigstore

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/hyperkube/hyperkube/versions"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
)

// MaxBundle is the maximum size of a bundle, a certificate or a signature in bytes.
// Those of Kubernetes have 4 to 8 KiB.
const MaxBundle = 64 << 10

// mediaType is that of bundles whose log entry has a signed timestamp and no
// inclusion proof.
const mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1"

// Bundle is a Sigstore bundle with the signature of a file.
type Bundle struct {
	*bundle.Bundle
	digest versions.Digest
}

// Digest returns the sha256 that the bundle says it signs. Only [Verifier.Verify]
// proves it.
func (b *Bundle) Digest() versions.Digest { return b.digest }

// Parse parses a bundle with the signature of a file.
func Parse(data []byte) (*Bundle, error) {
	if len(data) > MaxBundle {
		return nil, fmt.Errorf("parsing bundle: want at most %d bytes, got %d", MaxBundle, len(data))
	}
	b := new(bundle.Bundle)
	if err := b.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("parsing bundle: %w", err)
	}
	return newBundle(b)
}

func newBundle(b *bundle.Bundle) (*Bundle, error) {
	m := b.GetMessageSignature()
	if m == nil {
		return nil, errors.New("parsing bundle: want the signature of a file, got an attestation")
	}
	if algorithm := m.GetMessageDigest().GetAlgorithm(); algorithm != protocommon.HashAlgorithm_SHA2_256 {
		return nil, fmt.Errorf("parsing bundle: want the signature of a SHA2_256 digest, got %s", algorithm)
	}
	digest, err := versions.ParseDigest(hex.EncodeToString(m.GetMessageDigest().GetDigest()))
	if err != nil {
		return nil, fmt.Errorf("parsing bundle: %w", err)
	}
	return &Bundle{b, digest}, nil
}

// Format returns the bundle as JSON. Equal bundles have equal bytes.
func (b *Bundle) Format() ([]byte, error) {
	data, err := b.MarshalJSON() // with random white space
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return nil, err
	}
	compact.WriteByte('\n')
	return compact.Bytes(), nil
}

// Assemble makes a bundle of a detached signature, its certificate and the entry of
// the transparency log; nil for no entry. The signature is DER, the certificate PEM;
// both may be in base64, as upstream publishes them.
func Assemble(digest versions.Digest, signature, certificate []byte, entry *protorekor.TransparencyLogEntry) (*Bundle, error) {
	block, _ := pem.Decode(decode(certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("parsing certificate: want a PEM block CERTIFICATE")
	}
	sum, err := hex.DecodeString(digest.String())
	if err != nil {
		return nil, err
	}
	material := &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_X509CertificateChain{
		X509CertificateChain: &protocommon.X509CertificateChain{Certificates: []*protocommon.X509Certificate{{RawBytes: block.Bytes}}},
	}}
	if entry != nil {
		material.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
	}
	b, err := bundle.NewBundle(&protobundle.Bundle{
		MediaType: mediaType, VerificationMaterial: material,
		Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: sum},
			Signature:     decode(signature),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("making bundle: %w", err)
	}
	return newBundle(b)
}

// decode returns the bytes that data has in base64, or data itself.
func decode(data []byte) []byte {
	if raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data))); err == nil {
		return raw
	}
	return data
}
